// SPDX-License-Identifier: MIT
#pragma once

#include <opencv2/core.hpp>
#include <vector>

#include "atomtrack/tracker/tracker.hpp"

namespace atomtrack::tools {

/// `frame` as 8-bit BGR, whatever its depth and channels.
cv::Mat to_bgr(const cv::Mat& frame);

/// Draws the box in the colour of its state, with score, state and frame number in a legible strip
/// at the top. `frame` is 8-bit BGR.
void draw_result(cv::Mat& frame, const Result& result, long frame_number);

/// Collects evenly spread frames of a run of unknown length, at most `most`, small.
class ContactSheet {
 public:
  explicit ContactSheet(std::size_t most) : most_(most) {}
  void add(const cv::Mat& drawn);
  /// The frames in a grid.
  cv::Mat picture() const;

 private:
  std::size_t most_;
  std::size_t every_ = 1;
  std::size_t seen_ = 0;
  std::vector<cv::Mat> frames_;
};

}  // namespace atomtrack::tools
