// SPDX-License-Identifier: MIT
#include "tools/evaluation_scoring.hpp"

#include <cmath>
#include <limits>
#include <numeric>

#include "atomtrack/tensor/error.hpp"

namespace atomtrack::tools {
namespace {

bool is_finite(const Box& box) {
  return std::isfinite(box.x) && std::isfinite(box.y) && std::isfinite(box.width) &&
         std::isfinite(box.height);
}

/// The measures are defined on pixels counted from 1, where a value <= 0 means an absent target.
Box counted_from_one(Box box) {
  box.x += 1.0;
  box.y += 1.0;
  return box;
}

std::vector<Box> annotations(const BenchmarkSequence& sequence) {
  constexpr double absent = std::numeric_limits<double>::quiet_NaN();
  std::vector<Box> boxes;
  for (std::size_t i = 0; i < sequence.boxes.size(); ++i)
    boxes.push_back(sequence.visible[i] != 0 ? counted_from_one(sequence.boxes[i])
                                             : Box{absent, absent, absent, absent});
  return boxes;
}

ScoredRun scored(const std::string& tracker, int seed, const BenchmarkSequence& sequence,
                 std::vector<Box> boxes, int thresholds, std::vector<std::string>& remarks) {
  ScoredRun run;
  run.tracker = tracker;
  run.sequence = sequence.name;
  run.seed = seed;
  run.scores = score_boxes(sequence, std::move(boxes), thresholds,
                           tracker + ", seed " + std::to_string(seed), remarks);
  return run;
}

}  // namespace

SequenceScores score_boxes(const BenchmarkSequence& sequence, std::vector<Box> boxes,
                           int success_thresholds, const std::string& who,
                           std::vector<std::string>& remarks) {
  const std::size_t frames = sequence.boxes.size();
  const auto remark = [&](const std::string& what) {
    remarks.push_back(sequence.name + ": " + who + ": " + what);
  };
  if (boxes.size() != frames) {
    remark(concatenate(boxes.size(), " boxes for ", frames, " frames; ",
                       boxes.size() > frames ? "those beyond the last frame are dropped"
                                             : "the missing ones count as empty"));
    boxes.resize(std::min(boxes.size(), frames));
  }
  std::size_t bad = 0;
  for (Box& box : boxes) {
    if (is_finite(box)) {
      box = counted_from_one(box);
    } else {
      box = {};  // without area: the one before is repeated
      ++bad;
    }
  }
  if (bad > 0) remark(concatenate(bad, " boxes are not numbers; each repeats the one before"));
  return score_sequence(boxes, annotations(sequence), success_thresholds);
}

std::vector<ScoredRun> score_stored(const Benchmark& benchmark, const ResultStore& store,
                                    const std::string& tracker, int success_thresholds,
                                    std::vector<std::string>& remarks) {
  std::vector<ScoredRun> runs;
  for (const int seed : store.seeds(tracker)) {
    for (const BenchmarkSequence& sequence : benchmark.sequences) {
      if (sequence.has_hidden_boxes()) continue;
      try {
        const auto stored = store.read(tracker, seed, sequence.name);
        if (!stored) continue;
        std::vector<Box> boxes;
        for (const TrackedBox& tracked : stored->boxes) boxes.push_back(tracked.box);
        ScoredRun run =
            scored(tracker, seed, sequence, std::move(boxes), success_thresholds, remarks);
        run.seconds = std::accumulate(stored->seconds.begin(), stored->seconds.end(), 0.0);
        run.memory_mb = stored->memory_mb;
        runs.push_back(std::move(run));
      } catch (const InputError& error) {
        remarks.push_back(concatenate(sequence.name, ": ", tracker, ", seed ", seed,
                                      ": left out: ", error.what()));
      }
    }
  }
  return runs;
}

std::vector<ScoredRun> score_foreign(const Benchmark& benchmark, const std::string& tracker,
                                     const std::string& folder, int success_thresholds,
                                     std::vector<std::string>& remarks) {
  std::vector<ScoredRun> runs;
  for (const BenchmarkSequence& sequence : benchmark.sequences) {
    if (sequence.has_hidden_boxes()) continue;
    try {
      auto boxes = read_foreign_boxes(folder, sequence.name, first_pixel(benchmark.layout));
      require<InputError>(boxes.has_value(), folder, ": holds no ", sequence.name, ".txt");
      runs.push_back(scored(tracker, 0, sequence, std::move(*boxes), success_thresholds, remarks));
    } catch (const InputError& error) {
      remarks.push_back(concatenate(sequence.name, ": ", tracker, ": left out: ", error.what()));
    }
  }
  return runs;
}

}  // namespace atomtrack::tools
