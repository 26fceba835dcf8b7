// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <span>

#include "atomtrack/tensor/tensor.hpp"
#include "atomtrack/tracker/target.hpp"
#include "atomtrack/tracker/tracker.hpp"

namespace atomtrack {

/// What a score map says.
struct Localization {
  RowCol displacement;  ///< of the chosen peak from the crop's middle, in crop pixels
  double score = 0.0;   ///< the highest score of the map
  State state = State::tracked;
};

/// Interpolates classifier scores to the crop's resolution and decides which peak is the target
/// (section 3.3, hard negative mining; the rules and thresholds are the released tracker's). The
/// maps stay on the device; the host decides on two peaks of each. Thread-safe.
class Localizer {
 public:
  /// For maps of `cells` x `cells` scores of a filter of side `options.filter_size`, interpolated
  /// to `options.crop_size`, on `device`.
  Localizer(const Options& options, int cells, Device device = Device::cpu());

  /// Maps [N,1,cells,cells] as [N,crop_size,crop_size]: their Fourier series, with the highest
  /// frequency of an even map counted twice, as the released tracker does.
  Tensor<float> interpolate(const Tensor<float>& scores) const;

  /// Height and width [2] of what belongs to a target's peak. Sizes in crop pixels.
  std::array<double, 2> neighbourhood(RowCol target_size) const;
  /// The peaks [N,6] (Primitives::two_peaks) of the interpolated and windowed maps of `scores`
  /// [N,1,cells,cells], with neighbourhoods [N,2]. Does not wait for the device.
  Tensor<float> peaks(const Tensor<float>& scores, const Tensor<double>& neighbourhoods) const;
  /// What a map's peaks [6] say.
  Localization decide(std::span<const float, 6> peaks) const;

  /// All of the above for one map [1,1,cells,cells]; `target_size` in crop pixels.
  Localization localize(const Tensor<float>& scores, RowCol target_size) const;

 private:
  Options options_;
  int cells_;
  double middle_;         // the position of zero displacement in the interpolated map
  Tensor<float> basis_;   // [crop_size, cells]
  Tensor<float> window_;  // [1, crop_size, crop_size], or undefined
};

}  // namespace atomtrack
