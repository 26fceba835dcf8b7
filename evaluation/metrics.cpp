// SPDX-License-Identifier: MIT
#include "atomtrack/evaluation/metrics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "atomtrack/tensor/error.hpp"

namespace atomtrack {
namespace {

constexpr int centre_thresholds = 51;
constexpr double normalized_step = 0.01;
constexpr double invalid = -1.0;

bool is_finite(const Box& box) {
  return std::isfinite(box.x) && std::isfinite(box.y) && std::isfinite(box.width) &&
         std::isfinite(box.height);
}

bool is_valid(const Box& box) {
  return is_finite(box) && box.x > 0 && box.y > 0 && box.width > 0 && box.height > 0;
}

/// The predictions that are scored, one per annotation.
std::vector<Box> completed(std::span<const Box> predicted, std::span<const Box> annotated) {
  std::vector<Box> result(predicted.begin(), predicted.end());
  result.front() = annotated.front();
  for (std::size_t i = 1; i < result.size(); ++i) {
    require<InputError>(is_finite(result[i]), "score: predicted box ", i + 1,
                        " holds a number that is not finite");
    if (result[i].width <= 0 || result[i].height <= 0) result[i] = result[i - 1];
  }
  // Only now, so that a run that ended early is not credited with its last box.
  result.resize(annotated.size());
  return result;
}

double intersection(double a_low, double a_high, double b_low, double b_high) {
  return std::max(0.0, std::min(a_high, b_high) - std::max(a_low, b_low));
}

double ratio(double shared, const Box& a, const Box& b) {
  const double all = a.width * a.height + b.width * b.height - shared;
  return all > 0.0 ? shared / all : 0.0;
}

double centre(double start, double extent) {
  return start + (extent - 1) / 2;
}

/// The share of all frames for which `holds`.
template <class F>
double share(const std::vector<double>& values, F holds) {
  return static_cast<double>(std::count_if(values.begin(), values.end(), holds)) /
         static_cast<double>(values.size());
}

}  // namespace

// With inclusive pixels a box of width w reaches from x to x + w - 1, and the shared width counts
// both ends: the same as that of the plain rectangles.
double overlap(const Box& a, const Box& b) {
  return rectangle_overlap(a, b);
}

double rectangle_overlap(const Box& a, const Box& b) {
  const double shared = intersection(a.x, a.x + a.width, b.x, b.x + b.width) *
                        intersection(a.y, a.y + a.height, b.y, b.y + b.height);
  return ratio(shared, a, b);
}

SequenceScores score_sequence(std::span<const Box> predicted, std::span<const Box> annotated,
                              int success_thresholds) {
  require<InputError>(
      !predicted.empty() && !annotated.empty() && predicted.size() <= annotated.size(),
      "score: ", predicted.size(), " predicted boxes for ", annotated.size(),
      " annotated ones: expected at least one and no more than those");
  require<InputError>(success_thresholds >= 2, "score: ", success_thresholds, " thresholds");
  const std::vector<Box> boxes = completed(predicted, annotated);
  SequenceScores scores;
  scores.frames = static_cast<int>(annotated.size());
  double overlap_sum = 0.0;
  for (std::size_t i = 0; i < annotated.size(); ++i) {
    const Box& truth = annotated[i];
    if (!is_valid(truth)) {
      scores.overlaps.push_back(invalid);
      scores.centre_errors.push_back(std::numeric_limits<double>::infinity());
      scores.normalized_errors.push_back(invalid);
      continue;
    }
    const double dx = centre(boxes[i].x, boxes[i].width) - centre(truth.x, truth.width);
    const double dy = centre(boxes[i].y, boxes[i].height) - centre(truth.y, truth.height);
    scores.overlaps.push_back(overlap(boxes[i], truth));
    scores.centre_errors.push_back(std::hypot(dx, dy));
    scores.normalized_errors.push_back(std::hypot(dx / truth.width, dy / truth.height));
    overlap_sum += scores.overlaps.back();
    ++scores.valid_frames;
  }
  for (int t = 0; t < success_thresholds; ++t) {
    const double threshold = static_cast<double>(t) / (success_thresholds - 1);
    scores.success.push_back(
        share(scores.overlaps, [=](double value) { return value > threshold; }));
    scores.auc += scores.success.back() / success_thresholds;
  }
  for (int t = 0; t < centre_thresholds; ++t) {
    scores.precision.push_back(
        share(scores.centre_errors, [=](double value) { return value <= t; }));
    // An invalid frame's -1 counts as precise here, as in the released analysis.
    scores.normalized_precision.push_back(share(
        scores.normalized_errors, [=](double value) { return value <= t * normalized_step; }));
  }
  scores.op50 = share(scores.overlaps, [](double value) { return value > 0.5; });
  scores.op75 = share(scores.overlaps, [](double value) { return value > 0.75; });
  scores.precision20 = scores.precision[20];
  scores.normalized_precision20 = scores.normalized_precision[20];
  scores.mean_overlap = scores.valid_frames > 0 ? overlap_sum / scores.valid_frames : 0.0;
  return scores;
}

Box rectangle_around(std::span<const double, 8> corners) {
  double left = corners[0], right = corners[0], top = corners[1], bottom = corners[1];
  for (std::size_t i = 2; i < 8; i += 2) {
    left = std::min(left, corners[i]);
    right = std::max(right, corners[i]);
    top = std::min(top, corners[i + 1]);
    bottom = std::max(bottom, corners[i + 1]);
  }
  return {left, top, right - left, bottom - top};
}

Box rectangle_of_equal_area(std::span<const double, 8> corners) {
  const Box around = rectangle_around(corners);
  double centre_x = 0.0, centre_y = 0.0;
  for (std::size_t i = 0; i < 8; i += 2) {
    centre_x += corners[i] / 4;
    centre_y += corners[i + 1] / 4;
  }
  const double first = std::hypot(corners[2] - corners[0], corners[3] - corners[1]);
  const double second = std::hypot(corners[4] - corners[2], corners[5] - corners[3]);
  require<InputError>(around.width > 0 && around.height > 0, "a rotated box of ", around.width, "x",
                      around.height, " pixels: expected a positive size");
  const double factor = std::sqrt(first * second / (around.width * around.height));
  const double width = factor * around.width + 1, height = factor * around.height + 1;
  return {centre_x - width / 2, centre_y - height / 2, width, height};
}

}  // namespace atomtrack
