// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <string>
#include <vector>

#include "atomtrack/evaluation/metrics.hpp"

namespace atomtrack {

/// The measures that tables hold, in [0, 1].
struct Measures {
  double auc = 0.0;
  double op50 = 0.0;
  double op75 = 0.0;
  double precision = 0.0;             ///< centre within 20 pixels
  double normalized_precision = 0.0;  ///< centre within 0.2 of the target's size
};

/// Some runs that differ by their seed alone: mean and spread (sample standard deviation, 0 for
/// fewer than two).
struct MeasuresOverSeeds {
  Measures mean, spread;
  int seeds = 0;
};

/// The share of frames, mean over sequences and seeds, for each threshold: `success` at 21 or 101
/// overlaps in [0, 1], `precision` at 0, 1, ..., 50 pixels, `normalized_precision` at 0, 0.01, ...,
/// 0.5.
struct Curves {
  std::vector<double> success, precision, normalized_precision;
};

/// One stored run of a tracker on a sequence, scored.
struct ScoredRun {
  std::string tracker;
  std::string sequence;
  int seed = 0;
  SequenceScores scores;
  double seconds = 0.0;    ///< spent tracking, without reading images; 0 where it is not known
  double memory_mb = 0.0;  ///< peak resident memory of the process; 0 where it is not known
};

/// A tracker on all sequences of a benchmark.
struct TrackerSummary {
  std::string name;
  MeasuresOverSeeds measures;  ///< of the means over sequences
  Curves curves;
  double frames_per_second = 0.0;  ///< frames over seconds, all runs; 0 where it is not known
  double memory_mb = 0.0;          ///< the largest of all runs; 0 where it is not known
  std::map<std::string, MeasuresOverSeeds> per_sequence;
  std::map<std::string, std::vector<double>> success_by_attribute;  ///< curve per attribute
};

/// A picture for the report: a frame with the trackers' boxes drawn.
struct ReportPicture {
  std::string caption;
  std::string sequence;
  std::string jpeg;  ///< the file's bytes
};

/// A table of a benchmark's own measures, as text.
struct ReportTable {
  std::string title;
  std::string note;  ///< what the columns mean
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
};

/// What an evaluation found: everything that summary.json, the CSV files and the report are made
/// of.
struct EvaluationSummary {
  std::string benchmark;                 ///< its name, as the layout calls it
  std::vector<std::string> commands;     ///< that made the results, for the reader to repeat
  std::vector<std::string> environment;  ///< lines about program version, machine, threads
  std::vector<std::string> sequences;    ///< that were scored
  std::map<std::string, int> frames;     ///< of each sequence
  std::map<std::string, std::vector<std::string>> attributes;  ///< attribute -> its sequences
  std::vector<TrackerSummary> trackers;                        ///< best AUC first
  /// What was wrong with the data or a run, and the rule applied: "Bolt2: 3 boxes fewer than
  /// frames; the missing ones count as empty".
  std::vector<std::string> remarks;
  std::vector<ReportTable> tables;
  std::vector<ReportPicture> pictures;
};

/// Averages: per sequence over seeds, per seed over sequences, then over seeds. `benchmark`,
/// `sequences`, `frames`, `attributes` and texts of `about` are taken over. A tracker that has no
/// run of some sequence is averaged over those it has, with a remark. Throws InputError for runs of
/// a sequence that `about` does not list.
EvaluationSummary summarize(EvaluationSummary about, const std::vector<ScoredRun>& runs);

/// {"benchmark": ..., "trackers": {NAME: {"auc", "op50", "op75", "precision",
/// "normalized_precision", "frames_per_second", "memory_mb", "seeds", "spread": {...},
/// "per_sequence": {...}}}, ...} as text.
std::string summary_json(const EvaluationSummary& summary);
/// A line per tracker and sequence, and per tracker for all ("all sequences").
std::string summary_csv(const EvaluationSummary& summary);

/// One self-contained HTML page: no scripts, nothing fetched; plots are SVG, pictures are embedded.
std::string report_html(const EvaluationSummary& summary);

}  // namespace atomtrack
