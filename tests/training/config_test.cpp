// SPDX-License-Identifier: MIT
#include "atomtrack/training/config.hpp"

#include <doctest/doctest.h>

#include <filesystem>

using namespace atomtrack;

namespace {

const std::string small =
    R"({"seed": 3, "datasets": [{"layout": "otb", "root": "clips", "validation_every": 4}],
  "sampling": {"proposals": 8}, "augmentation": {"crop": 128, "colours": {"blur": 0.1}},
  "training": {"batch": 8, "group": 4, "schedule": [{"until": 100, "head_rate": 0.001}]}})";

std::string with(const std::string& from, const std::string& to) {
  std::string text = small;
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

std::string refusal(const std::string& text) {
  try {
    parse_training_config(text, "c.json");
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a configuration is read with its defaults") {
  const TrainingConfig config = parse_training_config(small, "c.json");
  CHECK(config.training.seed == 3);
  CHECK(config.training.batch == 8);
  CHECK(config.training.architecture == IouArchitecture::modulation);
  CHECK(config.sampling.proposals == 8);
  CHECK(config.sampling.max_gap == 50);
  CHECK(config.augmentation.crop == 128);
  CHECK(config.augmentation.colours.blur == 0.1);
  CHECK(config.augmentation.colours.brightness == 0.2);
  CHECK(config.datasets[0].validation_every == 4);
}

TEST_CASE("what is wrong with a configuration is said in one line with the file and the key") {
  CHECK(refusal("{") == "c.json: is not complete JSON");
  CHECK(refusal("[]").find("c.json: expected an object") == 0);
  CHECK(refusal(with("\"seed\"", "\"sead\"")) == "c.json: unknown key 'sead'");
  CHECK(refusal(with("\"proposals\": 8", "\"proposals\": 8.5")) ==
        "c.json: sampling: 'proposals' is 8.5, expected a whole number");
  CHECK(refusal(with("\"seed\": 3", "\"seed\": -3")).find("not negative") != std::string::npos);
  CHECK(refusal(with("\"until\": 100, ", "")) == "c.json: training: schedule: lacks 'until'");
  CHECK(refusal(with("\"root\": \"clips\", ", "")) == "c.json: datasets: lacks 'root'");
  CHECK(refusal(with("\"group\": 4", "\"precision\": \"half\""))
            .find("'precision' is 'half', expected full, tf32 or bfloat16") != std::string::npos);
  CHECK(refusal(with("\"group\": 4", "\"precision\": \"fine\"")).find("precision 'fine'") !=
        std::string::npos);
  CHECK(refusal(with("\"seed\": 3", "\"architecture\": \"large\""))
            .find("expected one of modulation") != std::string::npos);
  CHECK(
      refusal(with("[{\"layout\"", "[], \"x\": [{\"layout\"")).find("'datasets' to be an array") !=
      std::string::npos);
}

TEST_CASE("the fingerprint follows what decides the result, and nothing else") {
  const auto print = [](const std::string& text) {
    return parse_training_config(text, "c.json").fingerprint;
  };
  CHECK(print(small) == print(with("clips", "other/place/clips")));
  CHECK(print(small) == print(with("\"seed\": 3", "\"checkpoint_every\": 5, \"seed\": 3")));
  CHECK(print(small) != print(with("\"seed\": 3", "\"seed\": 4")));
  CHECK(print(small) != print(with("0.001", "0.002")));
}

TEST_CASE("the presets are complete configurations") {
  for (const char* name : {"small", "small_further", "small_third", "paper", "vid"}) {
    const TrainingConfig config = read_training_config(std::string(ATOMTRACK_SOURCE_DIR) +
                                                       "/training/presets/" + name + ".json");
    CHECK(config.training.architecture == IouArchitecture::modulation);
    CHECK(config.training.schedule.back().until > 0);
  }
  const TrainingConfig paper =
      read_training_config(std::string(ATOMTRACK_SOURCE_DIR) + "/training/presets/paper.json");
  // Section 3.1 and the released settings: 64 pairs a batch, 0.2 after every 15 epochs of 64,000.
  CHECK(paper.training.batch == 64);
  CHECK(rates_at(paper.training.schedule, 0).head == doctest::Approx(1e-3));
  CHECK(rates_at(paper.training.schedule, 15 * 64000).head == doctest::Approx(2e-4));
  CHECK(rates_at(paper.training.schedule, 30 * 64000).head == doctest::Approx(4e-5));
  CHECK(rates_at(paper.training.schedule, 39 * 64000).backbone == 0.0);
  CHECK(paper.datasets.size() == 3);
  CHECK(paper.sampling.proposals == 16);
}
