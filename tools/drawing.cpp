// SPDX-License-Identifier: MIT
#include "tools/drawing.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <opencv2/imgproc.hpp>

namespace atomtrack::tools {
namespace {

cv::Scalar colour(State state) {  // BGR
  switch (state) {
    case State::tracked:
      return {80, 220, 60};
    case State::uncertain:
      return {0, 200, 255};
    case State::hard_negative:
      return {0, 140, 255};
    case State::lost:
      return {60, 60, 235};
  }
  return {255, 255, 255};
}

cv::Point pixel(double x, double y) {
  constexpr double far = 1e6;
  return {static_cast<int>(std::lround(std::clamp(x, -far, far))),
          static_cast<int>(std::lround(std::clamp(y, -far, far)))};
}

constexpr int sheet_width = 320;  // pixels of one frame in a contact sheet

}  // namespace

cv::Mat to_bgr(const cv::Mat& frame) {
  cv::Mat narrow = frame;
  if (frame.depth() == CV_16U) frame.convertTo(narrow, CV_8U, 1.0 / 257.0);
  cv::Mat result;
  if (narrow.channels() == 1) {
    cv::cvtColor(narrow, result, cv::COLOR_GRAY2BGR);
  } else if (narrow.channels() == 4) {
    cv::cvtColor(narrow, result, cv::COLOR_BGRA2BGR);
  } else {
    result = narrow.clone();
  }
  return result;
}

void draw_result(cv::Mat& frame, const Result& result, long frame_number) {
  const cv::Scalar line = colour(result.state);
  const int thickness = std::max(2, frame.cols / 320);
  const Box& box = result.box;
  const cv::Point from = pixel(box.x, box.y), to = pixel(box.x + box.width, box.y + box.height);
  cv::rectangle(frame, from, to, {0, 0, 0}, thickness + 2, cv::LINE_AA);
  cv::rectangle(frame, from, to, line, thickness, cv::LINE_AA);

  char text[64];
  std::snprintf(text, sizeof(text), "%ld  %s  %.2f", frame_number, to_string(result.state),
                result.score);
  const double size = std::max(0.4, frame.cols / 1000.0);
  int baseline = 0;
  const cv::Size extent = cv::getTextSize(text, cv::FONT_HERSHEY_SIMPLEX, size, 1, &baseline);
  const cv::Rect strip =
      cv::Rect(0, 0, extent.width + 16, extent.height + baseline + 10) & cv::Rect({}, frame.size());
  frame(strip) *= 0.35;
  cv::putText(frame, text, {8, extent.height + 5}, cv::FONT_HERSHEY_SIMPLEX, size, line, 1,
              cv::LINE_AA);
}

void ContactSheet::add(const cv::Mat& drawn) {
  if (seen_++ % every_ != 0) return;
  cv::Mat small;
  const int height =
      std::max(1, static_cast<int>(std::lround(double{sheet_width} * drawn.rows / drawn.cols)));
  cv::resize(drawn, small, {sheet_width, std::min(height, 4 * sheet_width)}, 0, 0, cv::INTER_AREA);
  frames_.push_back(small);
  if (frames_.size() < 2 * most_) return;
  // Twice as many as wanted: keep every other one, and from now on half as many.
  std::vector<cv::Mat> kept;
  for (std::size_t i = 0; i < frames_.size(); i += 2) kept.push_back(frames_[i]);
  frames_ = std::move(kept);
  every_ *= 2;
}

cv::Mat ContactSheet::picture() const {
  if (frames_.empty()) return {};
  const std::size_t count = std::min(frames_.size(), most_);
  const int columns = static_cast<int>(std::ceil(std::sqrt(static_cast<double>(count))));
  const int rows = (static_cast<int>(count) + columns - 1) / columns;
  constexpr int gap = 4;
  int height = 0;
  for (const cv::Mat& frame : frames_) height = std::max(height, frame.rows);
  cv::Mat sheet(rows * (height + gap) + gap, columns * (sheet_width + gap) + gap, CV_8UC3,
                cv::Scalar(24, 24, 24));
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t pick = count == 1 ? 0 : i * (frames_.size() - 1) / (count - 1);
    const int column = static_cast<int>(i) % columns, row = static_cast<int>(i) / columns;
    const cv::Mat& frame = frames_[pick];
    frame.copyTo(sheet(cv::Rect(gap + column * (sheet_width + gap), gap + row * (height + gap),
                                frame.cols, frame.rows)));
  }
  return sheet;
}

}  // namespace atomtrack::tools
