// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

#include "atomtrack/primitives/precision.hpp"
#include "atomtrack/tensor/shape.hpp"

namespace atomtrack {

/// What a gradient kernel does with its destination: chosen by the caller, never inferred from
/// aliasing.
enum class Write { overwrite, accumulate };

/// Stride and symmetric zero padding of a convolution, in pixels of its input, the same along both
/// axes, and how exactly it multiplies (InputError where the backend cannot).
struct Conv2dGeometry {
  int stride = 1;
  int padding = 0;
  Precision precision = Precision::full;

  friend bool operator==(const Conv2dGeometry&, const Conv2dGeometry&) = default;
};

/// Square pooling window. Padding never wins a maximum; in an average it counts as zeros.
struct Pool2dGeometry {
  int window = 2;
  int stride = 2;
  int padding = 0;

  friend bool operator==(const Pool2dGeometry&, const Pool2dGeometry&) = default;
};

/// PrRoIPool: `pooled_height` x `pooled_width` bins; `spatial_scale` takes box coordinates (image
/// pixels) to map cells.
struct PrRoiGeometry {
  int pooled_height = 1;
  int pooled_width = 1;
  double spatial_scale = 1.0;

  friend bool operator==(const PrRoiGeometry&, const PrRoiGeometry&) = default;
};

/// A window of an image of height H and width W, in pixels, that may reach outside it (the border
/// then repeats). With `step` > 1 the image is first decimated: only pixels offset + step * k are
/// seen, and `top`, `left`, `height` and `width` count those. (REFERENCE.md's crop rule; see
/// docs/paper_to_code.md.)
struct CropWindow {
  std::int64_t top = 0;
  std::int64_t left = 0;
  std::int64_t height = 1;
  std::int64_t width = 1;
  std::int64_t step = 1;
  std::int64_t offset_y = 0;
  std::int64_t offset_x = 0;

  friend bool operator==(const CropWindow&, const CropWindow&) = default;
};

/// The pixels of a frame as its maker laid them out, row by row from the top, interleaved channels
/// of one byte or one native-endian 16-bit word.
struct PixelRows {
  const std::byte* data = nullptr;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::int64_t stride = 0;           ///< bytes from one row to the next
  int channels = 3;                  ///< of a pixel, alpha included
  int bytes = 1;                     ///< per channel
  int red = 0, green = 1, blue = 2;  ///< which channel each of them is
};

/// [N,Cout,Ho,Wo] of a convolution of `input` [N,Cin,H,W] with `filter` [Cout,Cin,Kh,Kw], where
/// Ho = (H + 2 padding - Kh) / stride + 1 rounded down. Throws ShapeError when they do not fit or
/// Ho or Wo would be below 1.
Shape conv2d_shape(const Shape& input, const Shape& filter, Conv2dGeometry geometry);
/// [N,C,Ho,Wo] of a pooling of `input` [N,C,H,W]. Throws ShapeError.
Shape pool2d_shape(const Shape& input, Pool2dGeometry geometry);
/// [K,C,pooled_height,pooled_width] of `features` [N,C,H,W] and `rois` [K,5]. Throws ShapeError.
Shape prroi_pool_shape(const Shape& features, const Shape& rois, PrRoiGeometry geometry);

}  // namespace atomtrack
