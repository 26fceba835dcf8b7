// SPDX-License-Identifier: MIT
#pragma once

#include "atomtrack/image/image_view.hpp"
#include "atomtrack/primitives/geometry.hpp"
#include "atomtrack/tensor/tensor.hpp"

namespace atomtrack {

/// How many bytes the pixels of a row take. Throws InputError for an unknown format.
std::ptrdiff_t row_bytes(const ImageView& image);

/// Throws InputError unless the view can be read: pixels present, 1 to 65,536 pixels along each
/// side, rows at least as long as their pixels.
void check(const ImageView& image);

/// The part of a frame that a crop reads, converted to RGB, with the crop window moved along.
struct FrameRegion {
  Tensor<std::uint8_t> pixels;  ///< [h,w,3]
  CropWindow window;            ///< reads `pixels` as the given window read the frame
  Tensor<std::uint8_t> memory;  ///< what `pixels` is a view of; kept from call to call
};

/// Copies the pixels that `window` reads out of `image` into `region`, in the same device's memory,
/// as 8-bit RGB: channels are
/// reordered, alpha is dropped, grey is repeated, 16 bits become the upper 8. A window outside the
/// frame reads its border. The cost is that of the window, however large the frame; `region.pixels`
/// is reused when it is large enough. Throws InputError as `check` does, and for a window without
/// pixels or with its offset outside the frame.
void extract_region(const ImageView& image, const CropWindow& window, FrameRegion& region);

}  // namespace atomtrack
