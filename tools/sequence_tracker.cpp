// SPDX-License-Identifier: MIT
#include "tools/sequence_tracker.hpp"

#include <cmath>

#include "atomtrack/opencv.hpp"
#include "tools/opencv_trackers.hpp"

namespace atomtrack::tools {
namespace {

class OwnTracker final : public SequenceTracker {
 public:
  OwnTracker(Model model, const Options& options) : tracker_(std::move(model), options) {}

  TrackedBox init(const cv::Mat& frame, const Box& box) override {
    return answer(tracker_.init(view(frame), box));
  }
  TrackedBox update(const cv::Mat& frame) override { return answer(tracker_.update(view(frame))); }

 private:
  static TrackedBox answer(const Result& result) { return {result.box, result.score}; }
  Tracker tracker_;
};

TrackerEntry own(const std::string& name, const Options& options, const TrackerOptions& common) {
  const auto model = std::make_shared<std::unique_ptr<Model>>();
  const auto load = [=] {
    if (!*model)
      *model = std::make_unique<Model>(
          Model::load(require_weights(common.weights), common.chosen_device()));
  };
  TrackerEntry entry;
  entry.name = name;
  entry.uses_seed = true;
  entry.make = [=](std::uint64_t seed) -> std::unique_ptr<SequenceTracker> {
    load();
    Options seeded = options;
    seeded.seed = seed;
    seeded.feature_precision = parse_precision(common.precision);
    return std::make_unique<OwnTracker>(**model, seeded);
  };
  if (common.is_certainly_cpu()) entry.prepare = load;
  return entry;
}

bool is_preset(const std::string& name) {
  return name == "released" || name == "paper" || name == "vot2018" || name == "steady" ||
         name == "adaptive";
}

}  // namespace

TrackerEntry tracker_entry(const std::string& name, const TrackerOptions& common) {
  if (name == "csrt" || name == "kcf" || name == "mil") return opencv_tracker_entry(name);
  const auto colon = name.find(':');
  const std::string first = name.substr(0, colon);
  const std::string variant = colon == std::string::npos ? "atom" : name.substr(colon + 1);
  if (is_preset(first)) return own(name, Options::preset(first).variant(variant), common);
  if (colon == std::string::npos) {
    try {
      return own(name, Options::preset(common.preset).variant(first), common);
    } catch (const InputError&) {
      // Said below, with all names.
    }
  }
  throw InputError(concatenate(
      "tracker '", name,
      "': expected atom, a preset (released, paper, vot2018, steady, adaptive), a variant "
      "(multi-scale, "
      "no-classifier, gd, gd++, no-hard-negatives), PRESET:VARIANT, OpenCV's csrt, kcf or mil, or "
      "NAME=FOLDER of box files"));
}

}  // namespace atomtrack::tools
