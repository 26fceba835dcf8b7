// SPDX-License-Identifier: MIT
#pragma once

#include "atomtrack/image/augmentation.hpp"
#include "atomtrack/image/frame.hpp"
#include "atomtrack/tracker/target.hpp"
#include "atomtrack/weights/weights_file.hpp"

namespace atomtrack {

/// Cuts square regions out of a frame and makes the network's input of them. Keeps its memory from
/// frame to frame.
class SearchRegion {
 public:
  /// `metadata` says how the network wants its input normalised; crops are `size` pixels a side on
  /// `device`.
  SearchRegion(const WeightsMetadata& metadata, int size, Device device);

  /// The region of `scale` image pixels per crop pixel around `position`, normalised, as image
  /// `index` of `crops` [N,3,size,size].
  void cut(const ImageView& image, RowCol position, double scale, Tensor<float>& crops,
           std::int64_t index);

  /// The first frame's crops (section 3.3): one region twice as wide, each of `augmentations`
  /// applied to it, the centre cut out and normalised. Row 0 is the first augmentation's. ->
  /// [augmentations,3,size,size]
  Tensor<float> cut_augmented(const ImageView& image, RowCol position, double scale,
                              const std::vector<Augmentation>& augmentations);

 private:
  Tensor<std::uint8_t> region_pixels_on(Device device);

  int size_;
  Device device_;
  std::vector<float> offset_, factor_;  // (value - offset) * factor, for values in 0..255
  FrameRegion region_;
  Tensor<std::uint8_t> uploaded_;  // room for `region_` on the device
};

}  // namespace atomtrack
