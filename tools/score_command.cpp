// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>

#include "atomtrack/datasets/annotations.hpp"
#include "atomtrack/evaluation/metrics.hpp"
#include "atomtrack/evaluation/vot.hpp"
#include "atomtrack/tensor/error.hpp"
#include "tools/commands.hpp"
#include "tools/output.hpp"

namespace atomtrack::tools {
namespace {

namespace fs = std::filesystem;

struct ScoreArguments {
  std::string boxes, truth, vot, sequences, json;
  std::string overlap = "pixels";
  bool one_based = false;
  vot::MeasureOptions measures;
};

/// The boxes of a file of which every line must be one. `origin` is the first pixel's coordinate.
std::vector<Box> read_boxes(const std::string& path, double origin) {
  std::vector<int> bad_lines;
  std::vector<Box> boxes = read_box_file(path, origin, &bad_lines);
  require<InputError>(bad_lines.empty(), path, ": line ", bad_lines.empty() ? 0 : bad_lines[0],
                      ": expected four numbers, or the eight of a rotated box's corners");
  return boxes;
}

void score_boxes(const ScoreArguments& arguments) {
  // Both are taken to 1-based pixels, in which a value <= 0 means that the target is absent.
  const auto predicted = read_boxes(arguments.boxes, -1.0);
  const auto annotated = read_boxes(arguments.truth, arguments.one_based ? 0.0 : -1.0);
  const SequenceScores scores = score_sequence(predicted, annotated, 21);
  std::printf(
      "frames %d  auc %.4f  op50 %.4f  op75 %.4f  mean overlap %.4f  precision20 %.4f  "
      "normalized precision %.4f\n",
      scores.frames, scores.auc, scores.op50, scores.op75, scores.mean_overlap, scores.precision20,
      scores.normalized_precision20);
}

std::vector<fs::path> files_in(const fs::path& folder) {
  require<InputError>(fs::is_directory(folder), folder.string(), ": is no folder");
  std::vector<fs::path> files{fs::directory_iterator(folder), {}};
  std::sort(files.begin(), files.end());
  return files;
}

/// The size of a sequence's first image, which lies in color/ or beside the annotations.
vot::ImageSize image_size(const fs::path& sequence) {
  const fs::path color = sequence / "color";
  for (const fs::path& file : files_in(fs::is_directory(color) ? color : sequence)) {
    if (file.extension() != ".jpg" && file.extension() != ".png") continue;
    const cv::Mat image = cv::imread(file.string());
    require<InputError>(!image.empty(), file.string(), ": is no image that OpenCV can read");
    return {image.cols, image.rows};
  }
  throw InputError(sequence.string() + ": has no image, .jpg or .png, to take the size from");
}

/// RESULTS/<name>/<name>_001.txt, _002.txt, ... and SEQUENCES/<name>.
vot::SequenceRuns read_runs(const ScoreArguments& arguments, const std::string& name) {
  const fs::path sequence = fs::path(arguments.sequences) / name;
  const std::string truth = (sequence / "groundtruth.txt").string();
  vot::SequenceRuns runs{
      vot::parse_annotations(read_text_file(truth), truth), image_size(sequence), {}};
  const std::string prefix = name + "_";
  for (const fs::path& file : files_in(fs::path(arguments.vot) / name)) {
    const std::string stem = file.stem().string();
    const bool numbered = stem.rfind(prefix, 0) == 0 &&
                          stem.find_first_not_of("0123456789", prefix.size()) == std::string::npos;
    if (file.extension() == ".txt" && numbered && stem.size() > prefix.size())
      runs.repetitions.push_back(
          vot::parse_trajectory(read_text_file(file.string()), file.string()));
  }
  return runs;
}

/// The sequences to score: those of list.txt, else the folders of results.
std::vector<std::string> sequence_names(const ScoreArguments& arguments) {
  const fs::path list = fs::path(arguments.sequences) / "list.txt";
  if (fs::exists(list)) return read_lines(list.string());
  std::vector<std::string> names;
  for (const fs::path& file : files_in(arguments.vot)) {
    if (fs::is_directory(file)) names.push_back(file.filename().string());
  }
  return names;
}

void score_vot(ScoreArguments& arguments) {
  require<InputError>(!arguments.sequences.empty(), "--vot needs --sequences FOLDER too");
  arguments.measures.overlap =
      arguments.overlap == "exact" ? vot::OverlapRule::exact : vot::OverlapRule::pixels;
  std::vector<vot::SequenceRuns> runs;
  std::size_t frames = 0;
  for (const std::string& name : sequence_names(arguments)) {
    runs.push_back(read_runs(arguments, name));
    require<InputError>(!runs.back().repetitions.empty(), arguments.vot, "/", name, ": holds no ",
                        name, "_001.txt");
    frames += runs.back().annotations.size();
  }
  const vot::VotMeasures measures = vot::measure(runs, arguments.measures);
  if (!arguments.json.empty()) {
    const nlohmann::json document{{"accuracy", measures.accuracy},
                                  {"failures", measures.failures},
                                  {"failures_per_100", measures.failures_per_100},
                                  {"reliability", measures.reliability},
                                  {"expected_average_overlap", measures.expected_average_overlap},
                                  {"expected_overlap", measures.expected_overlap}};
    write_text_file(arguments.json, document.dump(1) + "\n");
  }
  std::printf(
      "sequences %zu  frames %zu  accuracy %.4f  failures %.4f  failures per 100 frames %.4f  "
      "reliability %.4f  expected average overlap %.4f\n",
      runs.size(), frames, measures.accuracy, measures.failures, measures.failures_per_100,
      measures.reliability, measures.expected_average_overlap);
}

}  // namespace

void add_score_command(CommandLine& line, int&) {
  auto request = std::make_shared<ScoreArguments>();
  Arguments arguments = line.command("score", "compare stored boxes with annotations");
  arguments.text("--boxes", request->boxes, "what track --boxes wrote", "FILE");
  arguments.text("--ground-truth", request->truth, "annotations, a line x,y,w,h per frame", "FILE");
  arguments.flag("--one-based", request->one_based, "the annotations count pixels from 1 (OTB)");
  arguments.text("--vot", request->vot,
                 "results of VOT's supervised experiment, NAME/NAME_001.txt per sequence and run "
                 "(docs/evaluation_vot.md)",
                 "FOLDER");
  arguments.text("--sequences", request->sequences, "VOT's sequences, for --vot", "FOLDER");
  arguments.choice("--overlap", request->overlap, {"pixels", "exact"},
                   "for --vot: pixels as the VOT toolkit counts them, or exact areas");
  arguments.number("--low", request->measures.low,
                   "for --vot: start of the expected average overlap's interval");
  arguments.number("--high", request->measures.high, "for --vot: its end, counted in");
  arguments.text("--json", request->json, "for --vot: the measures and the curve", "FILE");
  arguments.run([request] {
    if (!request->vot.empty()) return score_vot(*request);
    require<InputError>(!request->boxes.empty() && !request->truth.empty(),
                        "score: expected --boxes and --ground-truth, or --vot and --sequences");
    score_boxes(*request);
  });
}

}  // namespace atomtrack::tools
