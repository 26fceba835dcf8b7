// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <string>
#include <vector>

#include "atomtrack/datasets/dataset.hpp"

namespace atomtrack {

/// The test sets of section 4, laid out as they are distributed.
enum class BenchmarkLayout {
  otb,          ///< OTB-100, and any folder of sequences laid out like it
  nfs,          ///< Need for Speed, the 30 fps version
  uav123,       ///< UAV123
  lasot,        ///< LaSOT's test videos
  trackingnet,  ///< TrackingNet's TEST part; a server holds the annotations
  got10k,       ///< a split of GOT-10k; of `test` a server holds the annotations
  vot2018,      ///< VOT2018, and any folder of sequences laid out like it
};
/// "otb", "nfs", "uav123", "lasot", "trackingnet", "got10k", "vot2018".
std::string name_of(BenchmarkLayout layout);
/// Throws InputError for any other name, listing these.
BenchmarkLayout parse_benchmark_layout(const std::string& name);
/// The coordinate of the first pixel in the layout's files, annotations and results alike.
double first_pixel(BenchmarkLayout layout);

/// A video to track in.
struct BenchmarkSequence {
  std::string name;
  FrameFiles frames;
  /// 0-based pixels, one per frame; not finite or without area where the target is absent. Of
  /// hidden annotations only the first is known.
  std::vector<Box> boxes;
  /// 0 where the benchmark leaves a frame out of the score although it has a box (LaSOT, GOT-10k:
  /// the target cannot be seen).
  std::vector<std::uint8_t> visible;
  std::string annotation_file;          ///< VOT: the corners as annotated are there
  std::vector<std::string> attributes;  ///< by the benchmark's short names, e.g. "FOC"

  bool has_hidden_boxes() const { return boxes.size() < frames.size(); }
};

struct Benchmark {
  BenchmarkLayout layout = BenchmarkLayout::otb;
  std::vector<BenchmarkSequence> sequences;
  /// What was wrong, where, and the rule applied: one line each.
  std::vector<std::string> remarks;
};

/// Reads the annotations of a benchmark; images stay where they are. `names`, unless empty, lists
/// the sequences wanted. A sequence that cannot be used is left out with a remark; more boxes than
/// frames, or fewer, shorten the sequence with a remark. Throws InputError when nothing can be
/// used, for a name that is not there, and for two sequences of one name.
Benchmark read_benchmark(const std::string& root, BenchmarkLayout layout,
                         const std::vector<std::string>& names = {});

}  // namespace atomtrack
