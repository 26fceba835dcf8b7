// SPDX-License-Identifier: MIT
#include "atomtrack/evaluation/trackingnet.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "atomtrack/evaluation/metrics.hpp"
#include "atomtrack/tensor/error.hpp"

namespace atomtrack {
namespace {

constexpr int thresholds = 21;

Box rounded(const Box& box) {
  return {std::nearbyint(box.x), std::nearbyint(box.y), std::nearbyint(box.width),
          std::nearbyint(box.height)};
}

/// The area under the shares of values for which holds(value, threshold), thresholds from 0 to
/// `last`.
template <class F>
double area(const std::vector<double>& values, double last, F holds) {
  std::vector<double> curve;
  for (int i = 0; i < thresholds; ++i) {
    const double threshold = last * i / (thresholds - 1);
    const auto count = std::count_if(values.begin(), values.end(),
                                     [&](double value) { return holds(value, threshold); });
    curve.push_back(static_cast<double>(count) / static_cast<double>(values.size()));
  }
  return area_under_curve(curve);
}

}  // namespace

double area_under_curve(std::span<const double> curve) {
  require<InputError>(curve.size() >= 2, "a curve of ", curve.size(), " samples has no area");
  double sum = -(curve.front() + curve.back()) / 2;
  for (const double value : curve) sum += value;
  return sum / static_cast<double>(curve.size() - 1);
}

TrackingNetScores trackingnet_sequence(std::span<const Box> predicted,
                                       std::span<const Box> annotated) {
  require<InputError>(!predicted.empty() && predicted.size() == annotated.size(),
                      "TrackingNet: ", predicted.size(), " predicted boxes for ", annotated.size(),
                      " annotated ones: expected one each");
  std::vector<double> overlaps, errors, normalized;
  for (std::size_t i = 0; i < predicted.size(); ++i) {
    const Box truth = rounded(annotated[i]), box = rounded(i == 0 ? annotated[0] : predicted[i]);
    require<InputError>(truth.width > 0 && truth.height > 0, "TrackingNet: annotation ", i + 1,
                        " has no area");
    const double dx = box.x + box.width / 2 - truth.x - truth.width / 2;
    const double dy = box.y + box.height / 2 - truth.y - truth.height / 2;
    require<InputError>(std::isfinite(dx) && std::isfinite(dy), "TrackingNet: frame ", i + 1,
                        " has a box that is not finite");
    overlaps.push_back(rectangle_overlap(box, truth));
    errors.push_back(std::hypot(dx, dy));
    normalized.push_back(std::hypot(dx / truth.width, dy / truth.height));
  }
  const auto within = [](double value, double threshold) { return value <= threshold; };
  return {area(overlaps, 1.0, [](double value, double threshold) { return value > threshold; }),
          area(errors, 50.0, within), area(normalized, 0.5, within)};
}

}  // namespace atomtrack
