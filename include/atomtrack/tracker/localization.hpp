// SPDX-License-Identifier: MIT
#pragma once

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
/// (section 3.3, hard negative mining; the rules and thresholds are the released tracker's).
class Localizer {
 public:
  /// For maps of `cells` x `cells` scores of a filter of side `options.filter_size`, interpolated
  /// to `options.crop_size`.
  Localizer(const Options& options, int cells);

  /// The map [1,1,cells,cells] as crop_size x crop_size scores, row-major: its Fourier series, with
  /// the highest frequency of an even map counted twice, as the released tracker does. The result
  /// lives until the next call.
  const std::vector<float>& interpolate(const Tensor<float>& scores);

  /// `target_size` in crop pixels. Not thread-safe: scratch memory is reused.
  Localization localize(const Tensor<float>& scores, RowCol target_size);

 private:
  Options options_;
  int cells_;
  double middle_;              // the position of zero displacement in the interpolated map
  std::vector<float> basis_;   // [crop_size, cells]
  std::vector<float> rows_;    // [crop_size, cells]
  std::vector<float> map_;     // [crop_size, crop_size]
  std::vector<float> window_;  // [crop_size], or empty
};

}  // namespace atomtrack
