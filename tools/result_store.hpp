// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "atomtrack/datasets/benchmarks.hpp"
#include "tools/sequence_tracker.hpp"

namespace atomtrack::tools {

/// What a tracker did in one sequence.
struct SequenceRun {
  std::vector<TrackedBox> boxes;  ///< one per frame, the first included
  std::vector<double> seconds;    ///< spent in the tracker per frame; empty where unknown
  std::string text;        ///< of VOT's supervised runs: the file itself, with what is not a box
  double memory_mb = 0.0;  ///< peak resident memory; 0 where unknown
};

/// The results folder of an evaluation: FOLDER/<tracker>/<seed>/<sequence>.txt with a line
/// x,y,width,height per frame, in the coordinates of the benchmark's annotations, as OTB's, LaSOT's
/// and TrackingNet's tools read them (of GOT-10k <sequence>/<sequence>_001.txt, as its toolkit
/// does, and of VOT's supervised runs likewise, with VOT's 0, 1 and 2); beside it
/// <sequence>_time.txt (seconds per frame), <sequence>_score.txt and <sequence>_memory.txt. The
/// file of boxes is written last and under its name only when complete, so that its being there
/// means that the run is finished.
class ResultStore {
 public:
  ResultStore(std::string folder, BenchmarkLayout layout)
      : folder_(std::move(folder)), layout_(layout) {}

  std::string path(const std::string& tracker, int seed, const std::string& sequence) const;
  bool holds(const std::string& tracker, int seed, const std::string& sequence) const;
  /// Throws InputError where the folder cannot be written.
  void write(const std::string& tracker, int seed, const std::string& sequence,
             const SequenceRun& run) const;
  /// Nothing if it is not there. Throws InputError if it cannot be read.
  std::optional<SequenceRun> read(const std::string& tracker, int seed,
                                  const std::string& sequence) const;
  /// The seeds under which a tracker has results, in order.
  std::vector<int> seeds(const std::string& tracker) const;
  /// The trackers that have results, by name.
  std::vector<std::string> trackers() const;
  /// Copies what another store holds and this one does not.
  void take_over(const std::string& folder) const;

 private:
  std::string folder_;
  BenchmarkLayout layout_;
};

/// Boxes that somebody else's tracker wrote: FOLDER/<sequence>.txt, FOLDER/<sequence>/
/// <sequence>_001.txt or FOLDER/<sequence>_001.txt. Nothing if there is none.
std::optional<std::vector<Box>> read_foreign_boxes(const std::string& folder,
                                                   const std::string& sequence, double origin);

}  // namespace atomtrack::tools
