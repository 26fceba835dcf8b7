// SPDX-License-Identifier: MIT
#include <cstdio>
#include <fstream>
#include <sstream>

#include "atomtrack/evaluation/metrics.hpp"
#include "atomtrack/tensor/error.hpp"
#include "tools/commands.hpp"

namespace atomtrack::tools {
namespace {

/// Lines of four numbers separated by commas, tabs or spaces.
std::vector<Box> read_boxes(const std::string& path, double origin) {
  std::ifstream file(path);
  require<InputError>(file.good(), path, ": cannot be read");
  std::vector<Box> boxes;
  std::string line;
  while (std::getline(file, line)) {
    for (char& c : line) {
      if (c == ',' || c == '\t' || c == '\r') c = ' ';
    }
    if (line.find_first_not_of(' ') == std::string::npos) continue;
    std::istringstream numbers(line);
    std::array<double, 4> values{};
    for (double& value : values) {
      std::string text;
      require<InputError>(static_cast<bool>(numbers >> text), path, ": line ", boxes.size() + 1,
                          ": expected four numbers");
      value = std::strtod(text.c_str(), nullptr);  // reads "nan" too: an absent target
    }
    boxes.push_back({values[0] - origin, values[1] - origin, values[2], values[3]});
  }
  require<InputError>(!boxes.empty(), path, ": holds no boxes");
  return boxes;
}

}  // namespace

void add_score_command(CLI::App& app, int&) {
  struct Arguments {
    std::string boxes, truth;
    bool one_based = false;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command =
      app.add_subcommand("score", "compare a file of boxes with a file of annotations");
  command->add_option("--boxes", arguments->boxes, "what track --boxes wrote")
      ->required()
      ->type_name("FILE");
  command->add_option("--ground-truth", arguments->truth, "annotations, a line x,y,w,h per frame")
      ->required()
      ->type_name("FILE");
  command->add_flag("--one-based", arguments->one_based,
                    "the annotations count pixels from 1 (OTB)");
  command->callback([arguments] {
    // Both are taken to 1-based pixels, in which a value <= 0 means that the target is absent.
    const auto predicted = read_boxes(arguments->boxes, -1.0);
    const auto annotated = read_boxes(arguments->truth, arguments->one_based ? 0.0 : -1.0);
    const SequenceScores scores = score_sequence(predicted, annotated, 21);
    std::printf(
        "frames %d  auc %.4f  op50 %.4f  op75 %.4f  mean overlap %.4f  precision20 %.4f  "
        "normalized precision %.4f\n",
        scores.frames, scores.auc, scores.op50, scores.op75, scores.mean_overlap,
        scores.precision20, scores.normalized_precision20);
  });
}

}  // namespace atomtrack::tools
