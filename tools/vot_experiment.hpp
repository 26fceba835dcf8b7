// SPDX-License-Identifier: MIT
#pragma once

#include "atomtrack/evaluation/summary.hpp"
#include "tools/result_store.hpp"

namespace atomtrack::tools {

/// VOT's supervised experiment on one sequence: the tracker is made anew and initialised again five
/// frames after each failure. Rotated annotations become the rectangle of equal area. Times are of
/// the frames that the tracker saw. Throws as run_sequence does.
SequenceRun run_supervised(const TrackerEntry& tracker, const BenchmarkSequence& sequence,
                           int seed);

/// Accuracy, failures, reliability and expected average overlap (docs/evaluation_vot.md) of the
/// trackers' stored supervised runs, seeds as repetitions. A tracker that misses a run is left out
/// with a remark.
ReportTable vot_table(const Benchmark& benchmark, const ResultStore& store,
                      const std::vector<std::string>& trackers, std::vector<std::string>& remarks);

/// GOT-10k's AO, SR 0.5 and SR 0.75 of the trackers' stored runs, over frames and over sequences,
/// mean over seeds.
ReportTable got10k_table(const Benchmark& benchmark, const ResultStore& store,
                         const std::vector<std::string>& trackers,
                         std::vector<std::string>& remarks);

}  // namespace atomtrack::tools
