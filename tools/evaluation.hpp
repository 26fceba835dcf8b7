// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "tools/common_options.hpp"

namespace atomtrack::tools {

/// What is to be evaluated, and where the results go.
struct EvaluationRequest {
  std::string root;
  std::string layout = "otb";
  std::vector<std::string> sequences;  ///< all if empty
  std::string split;                   ///< file with the names of the sequences instead
  std::vector<std::string> trackers{"atom"};
  int seeds = 1;
  int jobs = 1;
  int thresholds = 21;  ///< of the success curve: 21 or 101
  std::string shard;    ///< "I/N": only every N-th run, starting with the I-th; no report
  std::vector<std::string> merge;  ///< folders of results to take over
  bool only_report = false;        ///< nothing is run
  std::string output;
  TrackerOptions common;

  void add_to(Arguments& arguments);
};

/// Makes the runs that are missing in `output`/results (and, of VOT, `output`/supervised), then
/// writes `output`/summary.json, summary.csv and report.html. Returns 0, or 1 if some run failed.
/// Throws InputError.
int evaluate(const EvaluationRequest& request);

}  // namespace atomtrack::tools
