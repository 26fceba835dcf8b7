// SPDX-License-Identifier: MIT
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "atomtrack/evaluation/metrics.hpp"
#include "atomtrack/tensor/error.hpp"
#include "tools/commands.hpp"

namespace atomtrack::tools {
namespace {

/// A whole word as a number; "nan" is one too: an absent target.
bool parse_number(const std::string& word, double& value) {
  char* end = nullptr;
  value = std::strtod(word.c_str(), &end);
  return !word.empty() && *end == '\0';
}

/// A line's numbers, separated by commas, tabs or spaces, as a box: x, y, width, height, or the
/// rectangle around the four corners of a rotated one.
bool parse_box(const std::string& line, Box& box) {
  std::istringstream words(line);
  std::vector<double> values;
  for (std::string word; words >> word;) {
    if (!parse_number(word, values.emplace_back())) return false;
  }
  if (values.size() == 8) {
    box = rectangle_around(std::span<const double, 8>(values.data(), 8));
  } else if (values.size() == 4) {
    box = {values[0], values[1], values[2], values[3]};
  }
  return values.size() == 4 || values.size() == 8;
}

/// A box per line; empty lines are skipped. `origin` is the coordinate of the first pixel.
std::vector<Box> read_boxes(const std::string& path, double origin) {
  std::ifstream file(path);
  require<InputError>(file.good(), path, ": cannot be read");
  std::vector<Box> boxes;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    for (char& c : line) {
      if (c == ',' || c == '\t' || c == '\r') c = ' ';
    }
    if (line.find_first_not_of(' ') == std::string::npos) continue;
    Box box;
    require<InputError>(parse_box(line, box), path, ": line ", number,
                        ": expected four numbers, or the eight of a rotated box's corners");
    box.x -= origin;
    box.y -= origin;
    boxes.push_back(box);
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
