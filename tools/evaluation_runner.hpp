// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "atomtrack/datasets/benchmarks.hpp"
#include "tools/result_store.hpp"

namespace atomtrack::tools {

/// One run that is to be made.
struct EvaluationTask {
  const TrackerEntry* tracker = nullptr;
  const BenchmarkSequence* sequence = nullptr;
  int seed = 0;
  const ResultStore* store = nullptr;  ///< where the result goes
  bool supervised = false;             ///< VOT's experiment: initialised again after a failure
};

/// Frame `index` as 8-bit BGR. Throws InputError naming a frame that cannot be read.
cv::Mat read_frame(const BenchmarkSequence& sequence, std::size_t index);

/// Tracks one sequence. Only the tracker's own calls are timed: reading, decoding and writing are
/// not. Hands over a box per frame; throws InputError naming a frame that cannot be read, and what
/// the tracker throws.
SequenceRun run_sequence(const TrackerEntry& tracker, const BenchmarkSequence& sequence, int seed);

/// Makes the runs, `jobs` at a time, each in a process of its own of `threads` threads (0: the
/// cores shared out), and stores each as soon as it is finished; progress goes to stderr. A run
/// that fails, or that takes its process down with it, leaves a line in the answer and the others
/// go on.
std::vector<std::string> run_tasks(const std::vector<EvaluationTask>& tasks, int jobs, int threads);

}  // namespace atomtrack::tools
