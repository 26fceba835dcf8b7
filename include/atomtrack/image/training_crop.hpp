// SPDX-License-Identifier: MIT
#pragma once

#include "atomtrack/image/frame.hpp"

namespace atomtrack {

/// The crop rule of the offline training (section 3.1; the details are the released one's), which
/// differs from the tracker's `sample_window`: a square of ceil(area_scale * sqrt(width * height))
/// pixels centred on a box, resized to `output` pixels a side.
struct TrainingCrop {
  std::int64_t left = 0;  ///< of the square, in pixels of the image; it may reach outside
  std::int64_t top = 0;
  std::int64_t side = 1;
  int output = 1;
  Box around;  ///< the box that it was cut around

  /// Crop pixels per image pixel.
  double factor() const { return static_cast<double>(output) / static_cast<double>(side); }
  /// Where a box of the image lies in the crop: its offset from `around`, scaled, from the crop's
  /// middle. (The square's rounding to whole pixels is not followed.)
  Box place(const Box& box) const;
};

/// Throws InputError unless the box is finite and of positive size, and side and output are at
/// least one pixel.
TrainingCrop training_crop(const Box& around, double area_scale, int output);

/// Cuts `crop` out of `image`: writes RGB [output,output,3] to `pixels`. Outside the image its
/// border repeats; where the square reaches the right or bottom edge, the last column or row is
/// left out and the one before it repeats instead, as in the released training. Bilinear, in the
/// fixed-point arithmetic that 8-bit images are usually resized in (weights of 11 bits), so that
/// crops equal those of other programs to the bit. `region` is scratch memory. Throws InputError as
/// `check` does, ShapeError for other `pixels`.
void cut(const ImageView& image, const TrainingCrop& crop, FrameRegion& region,
         Tensor<std::uint8_t>& pixels);

}  // namespace atomtrack
