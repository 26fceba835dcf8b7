// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "atomtrack/datasets/benchmarks.hpp"
#include "atomtrack/evaluation/summary.hpp"
#include "tools/result_store.hpp"

namespace atomtrack::tools {

/// Frames of the sequences in which the summary's first tracker did best and worst, `most` of each,
/// with the annotation (white) and the boxes of the first trackers that have stored results. A
/// frame that cannot be read is left out.
std::vector<ReportPicture> draw_pictures(const EvaluationSummary& summary,
                                         const Benchmark& benchmark, const ResultStore& store,
                                         std::size_t most);

}  // namespace atomtrack::tools
