// SPDX-License-Identifier: MIT
#pragma once

#include "atomtrack/image/frame.hpp"

namespace atomtrack {

/// A square crop under rotation, mirroring and a scale per axis: training's augmentation of a view
/// of a target.
struct AffineCrop {
  double centre_x = 0.0;  ///< what lies in the crop's middle, in the image, pixel edges at whole
  double centre_y = 0.0;  ///< numbers (a box's x + width / 2)
  double scale_x = 1.0;   ///< image pixels per crop pixel
  double scale_y = 1.0;
  double angle = 0.0;  ///< radians by which the crop's axes are turned in the image
  bool mirror = false;
  bool reflect = false;  ///< outside the image, its mirror image instead of its repeated border
  int output = 1;        ///< pixels a side

  /// Where a box of the image lies in the crop. A turned box is bounded by the upright box around
  /// the ellipse that it encloses: objects rarely fill their box's corners.
  Box place(const Box& box) const;
  /// The image box whose `place` is the given one, for a crop without rotation.
  Box lift(const Box& box) const;
};

/// Samples `crop` bilinearly out of RGB `image` [H,W,3]: writes [output,output,3]. Throws
/// ShapeError.
void cut(const Tensor<std::uint8_t>& image, const AffineCrop& crop, Tensor<std::uint8_t>& pixels);

}  // namespace atomtrack
