// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "atomtrack/datasets/benchmarks.hpp"
#include "atomtrack/evaluation/summary.hpp"
#include "tools/result_store.hpp"

namespace atomtrack::tools {

/// Scores boxes by the benchmark's rules: frames that it leaves out count as unannotated, boxes
/// beyond the last frame are dropped, missing ones count as empty, boxes of no number repeat the
/// one before. What was wrong is added to `remarks`, starting with `who`.
SequenceScores score_boxes(const BenchmarkSequence& sequence, std::vector<Box> boxes,
                           int success_thresholds, const std::string& who,
                           std::vector<std::string>& remarks);

/// All stored runs of `tracker` in the benchmark's sequences, scored. A run that cannot be read is
/// left out with a remark.
std::vector<ScoredRun> score_stored(const Benchmark& benchmark, const ResultStore& store,
                                    const std::string& tracker, int success_thresholds,
                                    std::vector<std::string>& remarks);

/// The same for a folder of somebody else's box files.
std::vector<ScoredRun> score_foreign(const Benchmark& benchmark, const std::string& tracker,
                                     const std::string& folder, int success_thresholds,
                                     std::vector<std::string>& remarks);

}  // namespace atomtrack::tools
