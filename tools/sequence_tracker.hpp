// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "atomtrack/image/image_view.hpp"
#include "tools/common_options.hpp"

namespace atomtrack::tools {

/// A box with the tracker's own confidence; NaN where it has none.
struct TrackedBox {
  Box box;
  double score = 0.0;
};

/// Any tracker, as an evaluation drives it: frames are 8-bit BGR, boxes 0-based pixels. What it
/// throws ends the run of that sequence.
class SequenceTracker {
 public:
  virtual ~SequenceTracker() = default;
  virtual TrackedBox init(const cv::Mat& frame, const Box& box) = 0;
  virtual TrackedBox update(const cv::Mat& frame) = 0;
};

/// A tracker that can be run here, by name.
struct TrackerEntry {
  std::string name;
  bool uses_seed = false;  ///< false: one run says all
  /// A new tracker. Weights are loaded for the first one and kept.
  std::function<std::unique_ptr<SequenceTracker>(std::uint64_t seed)> make;
  /// Loads the weights, so that processes forked from this one have them; empty where there are
  /// none, or where they belong on a device that does not survive a fork. Starts no threads if
  /// the process is set to one.
  std::function<void()> prepare = {};
};

/// Ours is named by preset and variant, "atom" standing for released settings: "atom", "steady",
/// "paper", "vot2018", "multi-scale", "gd", "steady:multi-scale", ...; OpenCV's are "csrt", "kcf"
/// and "mil". `common` gives weights, device and precision. Throws InputError for any other name,
/// listing these.
TrackerEntry tracker_entry(const std::string& name, const TrackerOptions& common);

}  // namespace atomtrack::tools
