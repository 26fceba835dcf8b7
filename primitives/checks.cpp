// SPDX-License-Identifier: MIT
#include "atomtrack/primitives/checks.hpp"

namespace atomtrack::checks {

void same_shape(const char* primitive, const Shape& expected, const Shape& came) {
  require<ShapeError>(expected == came, primitive, ": expected shape ", expected, ", came ", came);
}

void broadcasts_to(const char* primitive, const Shape& a, const Shape& b, const Shape& result) {
  const Shape expected = broadcast_shape(broadcast_shape(a, b), result);
  require<ShapeError>(expected == result, primitive, ": shapes ", a, " and ", b,
                      " do not broadcast to the result's ", result);
}

void reduces_to(const Shape& source, const Shape& result) {
  require<ShapeError>(result.rank() <= source.rank() && broadcast_shape(source, result) == source,
                      "reduce_sum: ", source, " cannot be summed to ", result,
                      ": expected its axes, each whole or 1, or its last axes");
}

void block(const Shape& source, const Shape& source_start, const Shape& target,
           const Shape& target_start, const Shape& extent) {
  const std::size_t rank = source.rank();
  require<ShapeError>(target.rank() == rank && source_start.rank() == rank &&
                          target_start.rank() == rank && extent.rank() == rank,
                      "copy_block: shapes ", source, " and ", target, ", starts ", source_start,
                      " and ", target_start, ", extent ", extent, ": expected one rank");
  for (std::size_t i = 0; i < rank; ++i) {
    const auto axis = static_cast<std::ptrdiff_t>(i);
    require<ShapeError>(source_start[axis] + extent[axis] <= source[axis] &&
                            target_start[axis] + extent[axis] <= target[axis],
                        "copy_block: a block of ", extent, " at ", source_start, " of ", source,
                        " and ", target_start, " of ", target, " reaches outside along axis ", i);
  }
}

void permutation(const Shape& source, std::span<const int> order, const Shape& result) {
  bool fits = order.size() == source.rank() && result.rank() == source.rank();
  for (std::size_t i = 0; fits && i < order.size(); ++i) {
    fits = order[i] >= 0 && order[i] < static_cast<int>(source.rank()) &&
           result.begin()[i] == source[order[i]];
    for (std::size_t j = 0; fits && j < i; ++j) fits = order[i] != order[j];
  }
  require<ShapeError>(fits, "permute: ", source, " to ", result,
                      ": expected an order naming each axis once, and its extents");
}

std::int64_t gemm(bool transpose_a, bool transpose_b, const Shape& a, const Shape& b,
                  const Shape& c) {
  const bool matrices = a.rank() == 2 && b.rank() == 2 && c.rank() == 2;
  require<ShapeError>(matrices, "gemm: shapes ", a, ", ", b, " and ", c, ": expected matrices");
  const std::int64_t m = a[transpose_a ? 1 : 0];
  const std::int64_t k = a[transpose_a ? 0 : 1];
  const std::int64_t n = b[transpose_b ? 0 : 1];
  require<ShapeError>(b[transpose_b ? 1 : 0] == k && c == Shape{m, n}, "gemm: ", a,
                      transpose_a ? " transposed" : "", " times ", b,
                      transpose_b ? " transposed" : "", " into ", c,
                      ": expected [M,K] [K,N] -> [M,N]");
  return k;
}

void conv2d(const Shape& x, const Shape& w, Conv2dGeometry geometry, const Shape& y) {
  same_shape("conv2d", conv2d_shape(x, w, geometry), y);
}

void pool2d(const char* primitive, const Shape& x, Pool2dGeometry geometry, const Shape& y) {
  same_shape(primitive, pool2d_shape(x, geometry), y);
}

void prroi_pool(const Shape& features, const Shape& rois, PrRoiGeometry geometry,
                const Shape& pooled) {
  same_shape("prroi_pool", prroi_pool_shape(features, rois, geometry), pooled);
}

void crop(const Shape& image, std::span<const CropWindow> windows, const Shape& result) {
  require<ShapeError>(image.rank() == 4 && result.rank() == 4 &&
                          image[0] == static_cast<std::int64_t>(windows.size()) &&
                          result[0] == image[0] && result[1] == image[1],
                      "crop_resize: ", image, " with ", windows.size(), " windows to ", result,
                      ": expected [N,C,H,W] with N windows to [N,C,h,w]");
  for (const CropWindow& window : windows) {
    require<ShapeError>(window.height >= 1 && window.width >= 1 && window.step >= 1 &&
                            window.offset_y >= 0 && window.offset_x >= 0 &&
                            window.offset_y < image[2] && window.offset_x < image[3],
                        "crop_resize: a window of ", window.height, "x", window.width,
                        " with step ", window.step, " and offset ", window.offset_y, ",",
                        window.offset_x, ": expected positive sizes and an offset inside ", image);
  }
}

void crop_frame(const Shape& frame, const CropWindow& window, std::size_t offsets,
                std::size_t scales, const Shape& result) {
  require<ShapeError>(frame.rank() == 3, "crop_resize_frame: frame ", frame, ": expected [H,W,C]");
  const std::int64_t channels = frame[2];
  require<ShapeError>(
      offsets == static_cast<std::size_t>(channels) && scales == static_cast<std::size_t>(channels),
      "crop_resize_frame: ", offsets, " offsets and ", scales, " scales for ", channels,
      " channels");
  const CropWindow windows[] = {window};
  crop(Shape{1, channels, frame[0], frame[1]}, windows, result);
}

void pixels(const PixelRows& frame, std::int64_t top, std::int64_t left, std::int64_t step,
            const Shape& pixels) {
  require<ShapeError>(pixels.rank() == 3 && pixels[2] == 3, "unpack_pixels: pixels ", pixels,
                      ": expected [h,w,3]");
  if (pixels.numel() == 0) return;
  const bool inside = top >= 0 && left >= 0 && step >= 1 &&
                      top + (pixels[0] - 1) * step < frame.height &&
                      left + (pixels[1] - 1) * step < frame.width;
  require<InputError>(inside, "unpack_pixels: ", pixels[1], "x", pixels[0], " pixels, each ", step,
                      " apart, from ", left, ",", top, " on: not all inside a frame of ",
                      frame.width, "x", frame.height, " pixels");
}

void two_peaks(const Shape& maps, const Shape& sizes, const Shape& peaks) {
  require<ShapeError>(maps.rank() == 3 && sizes == Shape{maps[0], 2} &&
                          peaks == Shape{maps[0], 6} && maps[1] >= 1 && maps[2] >= 1,
                      "two_peaks: maps ", maps, ", sizes ", sizes, " and peaks ", peaks,
                      ": expected [N,H,W], [N,2] and [N,6]");
}

void full_precision(Precision precision, std::string_view backend) {
  require<InputError>(precision == Precision::full, "the ", backend,
                      " backend multiplies in full precision only here: tf32 and half are for "
                      "GPUs, bfloat16 for CPUs with AMX or AVX-512 BF16");
}

void scalar(const char* primitive, const Shape& shape) {
  require<ShapeError>(shape.numel() == 1, primitive, ": a device scalar of shape ", shape,
                      ": expected one element");
}

}  // namespace atomtrack::checks
