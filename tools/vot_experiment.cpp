// SPDX-License-Identifier: MIT
#include "tools/vot_experiment.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

#include "atomtrack/evaluation/got10k.hpp"
#include "atomtrack/evaluation/metrics.hpp"
#include "atomtrack/evaluation/vot.hpp"
#include "atomtrack/tensor/error.hpp"
#include "tools/common_options.hpp"
#include "tools/evaluation_runner.hpp"
#include "tools/output.hpp"

namespace atomtrack::tools {
namespace {

using Clock = std::chrono::steady_clock;

std::vector<vot::Region> annotations_of(const BenchmarkSequence& sequence) {
  auto regions =
      vot::parse_annotations(read_text_file(sequence.annotation_file), sequence.annotation_file);
  regions.resize(std::min(regions.size(), sequence.frames.size()));
  return regions;
}

/// What the released tracker was given on VOT.
Box rectangle_of(const vot::Region& region) {
  if (const Box* box = std::get_if<Box>(&region)) return *box;
  const vot::Polygon& polygon = std::get<vot::Polygon>(region);
  require<InputError>(polygon.size() == 4, "an annotation of ", polygon.size(),
                      " corners, expected four");
  std::array<double, 8> corners{};
  for (std::size_t i = 0; i < 4; ++i) {
    corners[2 * i] = polygon[i].x;
    corners[2 * i + 1] = polygon[i].y;
  }
  return rectangle_of_equal_area(corners);
}

std::string fixed(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.3f", value);
  return text;
}

}  // namespace

SequenceRun run_supervised(const TrackerEntry& entry, const BenchmarkSequence& sequence, int seed) {
  const std::vector<vot::Region> annotations = annotations_of(sequence);
  const cv::Mat first = read_frame(sequence, 0);
  SequenceRun run;
  std::unique_ptr<SequenceTracker> tracker;
  const auto timed = [&](auto step) {
    const auto start = Clock::now();
    run.boxes.push_back(step());
    run.seconds.push_back(std::chrono::duration<double>(Clock::now() - start).count());
    return run.boxes.back().box;
  };
  vot::TrackerCallbacks callbacks;
  callbacks.initialize = [&](int index, const vot::Region& annotation) {
    const cv::Mat frame = read_frame(sequence, static_cast<std::size_t>(index));
    tracker = entry.make(static_cast<std::uint64_t>(seed));
    timed([&] { return tracker->init(frame, rectangle_of(annotation)); });
  };
  callbacks.update = [&](int index) {
    const cv::Mat frame = read_frame(sequence, static_cast<std::size_t>(index));
    return vot::Region(timed([&] { return tracker->update(frame); }));
  };
  run.text = vot::to_text(vot::run_supervised(callbacks, annotations, {first.cols, first.rows}));
  run.memory_mb = peak_resident_mb();
  return run;
}

ReportTable vot_table(const Benchmark& benchmark, const ResultStore& store,
                      const std::vector<std::string>& trackers, std::vector<std::string>& remarks) {
  ReportTable table;
  table.title = "VOT, supervised experiment";
  table.note =
      "Accuracy: mean overlap while tracking. Failures: lost targets per 100 frames, after which "
      "the tracker is initialised again. EAO: expected average overlap over 100 to 356 frames.";
  table.header = {"tracker", "accuracy", "failures per 100", "reliability", "EAO"};
  for (const std::string& tracker : trackers) {
    std::vector<vot::SequenceRuns> runs;
    try {
      for (const BenchmarkSequence& sequence : benchmark.sequences) {
        const cv::Mat frame = read_frame(sequence, 0);
        vot::SequenceRuns own{annotations_of(sequence), {frame.cols, frame.rows}, {}};
        for (const int seed : store.seeds(tracker)) {
          const std::string path = store.path(tracker, seed, sequence.name);
          own.repetitions.push_back(vot::parse_trajectory(read_text_file(path), path));
        }
        runs.push_back(std::move(own));
      }
      const vot::VotMeasures m = vot::measure(runs);
      table.rows.push_back({tracker, fixed(m.accuracy), fixed(m.failures_per_100),
                            fixed(m.reliability), fixed(m.expected_average_overlap)});
    } catch (const InputError& error) {
      remarks.push_back(concatenate(tracker, ": not in VOT's table: ", error.what()));
    }
  }
  return table;
}

ReportTable got10k_table(const Benchmark& benchmark, const ResultStore& store,
                         const std::vector<std::string>& trackers,
                         std::vector<std::string>& remarks) {
  ReportTable table;
  table.title = "GOT-10k's measures";
  table.note =
      "AO: mean overlap; SR: share of frames with an overlap above 0.5 and 0.75; without the first "
      "frame and frames in which nothing of the target is visible. Over frames as GOT-10k's "
      "toolkit "
      "averages, and over sequences.";
  table.header = {"tracker", "AO", "SR 0.5", "SR 0.75", "AO, sequences", "SR 0.5", "SR 0.75"};
  for (const std::string& tracker : trackers) {
    std::vector<Got10kScores> scores;
    for (const int seed : store.seeds(tracker)) {
      for (const BenchmarkSequence& sequence : benchmark.sequences) {
        const auto run = store.read(tracker, seed, sequence.name);
        if (sequence.has_hidden_boxes() || !run) continue;
        std::vector<Box> boxes;
        for (const TrackedBox& tracked : run->boxes) boxes.push_back(tracked.box);
        const std::vector<double> visible(sequence.visible.begin(), sequence.visible.end());
        try {
          const cv::Mat frame = read_frame(sequence, 0);
          scores.push_back(got10k_sequence(boxes, sequence.boxes, visible, frame.cols, frame.rows));
        } catch (const InputError& error) {
          remarks.push_back(
              concatenate(sequence.name, ": not in GOT-10k's measures: ", error.what()));
        }
      }
    }
    if (scores.empty()) continue;
    const Got10kScores frames = got10k_over_frames(scores), equal = got10k_over_sequences(scores);
    table.rows.push_back({tracker, fixed(frames.average_overlap), fixed(frames.success50),
                          fixed(frames.success75), fixed(equal.average_overlap),
                          fixed(equal.success50), fixed(equal.success75)});
  }
  return table;
}

}  // namespace atomtrack::tools
