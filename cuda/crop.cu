// SPDX-License-Identifier: MIT
#include <algorithm>

#include "atomtrack/primitives/checks.hpp"
#include "atomtrack/primitives/scalar/bilinear.hpp"
#include "atomtrack/primitives/scalar/pixels.hpp"
#include "cuda/cuda_primitives.hpp"
#include "cuda/launch.hpp"

namespace atomtrack {
namespace cuda {
namespace {

using scalar::BilinearTap;

/// A window of one image and the size it is resized to.
struct Resize {
  CropWindow window;
  std::int64_t image_height, image_width, height, width;
};

template <class T>
__device__ BilinearTap<T> row_tap(const Resize& r, std::int64_t row) {
  return scalar::bilinear_tap<T>(row, r.height, r.window.top, r.window.height, r.image_height,
                                 r.window.step, r.window.offset_y);
}
template <class T>
__device__ BilinearTap<T> column_tap(const Resize& r, std::int64_t column) {
  return scalar::bilinear_tap<T>(column, r.width, r.window.left, r.window.width, r.image_width,
                                 r.window.step, r.window.offset_x);
}

/// The interpolated value, where pixel(row, column) reads the image.
template <class T, class Pixel>
__device__ T interpolate(const BilinearTap<T>& row, const BilinearTap<T>& column, Pixel pixel) {
  return (T{1} - row.share) * (T{1} - column.share) * pixel(row.first, column.first) +
         (T{1} - row.share) * column.share * pixel(row.first, column.second) +
         row.share * (T{1} - column.share) * pixel(row.second, column.first) +
         row.share * column.share * pixel(row.second, column.second);
}

template <class T>
__global__ void crop_resize_kernel(const T* image, Resize resize, std::int64_t count, T* dst) {
  const std::int64_t area = resize.height * resize.width;
  for (std::int64_t i = first_item(); i < count; i += item_step()) {
    const T* plane = image + i / area * resize.image_height * resize.image_width;
    dst[i] = interpolate(
        row_tap<T>(resize, i % area / resize.width), column_tap<T>(resize, i % resize.width),
        [&](std::int64_t r, std::int64_t s) { return plane[r * resize.image_width + s]; });
  }
}

template <class T>
__global__ void crop_resize_adjoint_kernel(const T* grad, Resize resize, std::int64_t count,
                                           T* grad_image) {
  const std::int64_t area = resize.height * resize.width;
  for (std::int64_t i = first_item(); i < count; i += item_step()) {
    T* plane = grad_image + i / area * resize.image_height * resize.image_width;
    const BilinearTap<T> row = row_tap<T>(resize, i % area / resize.width);
    const BilinearTap<T> column = column_tap<T>(resize, i % resize.width);
    const auto add = [&](std::int64_t r, std::int64_t s, T weight) {
      atomicAdd(&plane[r * resize.image_width + s], weight * grad[i]);
    };
    add(row.first, column.first, (T{1} - row.share) * (T{1} - column.share));
    add(row.first, column.second, (T{1} - row.share) * column.share);
    add(row.second, column.first, row.share * (T{1} - column.share));
    add(row.second, column.second, row.share * column.share);
  }
}

constexpr int most_channels = 4;  // of a launch

/// Some neighbouring channels of a frame, and what becomes of them: (value - offset) * scale.
template <class T>
struct Channels {
  std::int64_t interleaved;  // in the frame
  int count;                 // of them
  T offset[most_channels], scale[most_channels];
};

/// Channels of an 8-bit frame; `frame` and `dst` start with the first of them.
template <class T>
__global__ void crop_resize_frame_kernel(const std::uint8_t* frame, Resize resize,
                                         Channels<T> channels, std::int64_t area, T* dst) {
  for (std::int64_t i = first_item(); i < area; i += item_step()) {
    const BilinearTap<T> row = row_tap<T>(resize, i / resize.width);
    const BilinearTap<T> column = column_tap<T>(resize, i % resize.width);
    // A loop of fixed length, so that no array is indexed by a variable: that takes memory.
    for (int c = 0; c < most_channels; ++c) {
      if (c >= channels.count) continue;
      const T value = interpolate(row, column, [&](std::int64_t r, std::int64_t s) {
        return static_cast<T>(frame[(r * resize.image_width + s) * channels.interleaved + c]);
      });
      dst[c * area + i] = (value - channels.offset[c]) * channels.scale[c];
    }
  }
}

__global__ void unpack_pixels_kernel(const std::byte* data, PixelRows frame, std::int64_t top,
                                     std::int64_t left, std::int64_t step, std::int64_t width,
                                     std::int64_t count, std::uint8_t* pixels) {
  for (std::int64_t i = first_item(); i < count; i += item_step()) {
    const std::int64_t row = top + i / width * step, column = left + i % width * step;
    scalar::unpack_pixel(frame, data + scalar::pixel_offset(frame, row, column), pixels + 3 * i);
  }
}

}  // namespace
}  // namespace cuda

// Windows differ from image to image and live on the host: one launch each.

template <class T>
void CudaPrimitives<T>::crop_resize(const Tensor<T>& image, std::span<const CropWindow> windows,
                                    Tensor<T>& dst) {
  checks::crop(image.shape(), windows, dst.shape());
  if (dst.numel() == 0) return;
  for (std::int64_t n = 0; n < dst.extent(0); ++n) {
    const Tensor<T> from = image.slice(n, 1);
    Tensor<T> to = dst.slice(n, 1);
    const cuda::Resize resize{windows[static_cast<std::size_t>(n)], image.extent(2),
                              image.extent(3), dst.extent(2), dst.extent(3)};
    cuda::launch("crop_resize", cuda::crop_resize_kernel<T>, cuda::grid_for(to.numel()),
                 cuda::block_threads, context(), from.data(), resize, to.numel(), to.data());
  }
}

template <class T>
void CudaPrimitives<T>::crop_resize_adjoint(const Tensor<T>& grad_dst,
                                            std::span<const CropWindow> windows, Write write,
                                            Tensor<T>& grad_image) {
  checks::crop(grad_image.shape(), windows, grad_dst.shape());
  if (write == Write::overwrite)
    device_memory(device()).set_zero(grad_image.data(), grad_image.bytes());
  if (grad_dst.numel() == 0) return;
  for (std::int64_t n = 0; n < grad_dst.extent(0); ++n) {
    const Tensor<T> from = grad_dst.slice(n, 1);
    Tensor<T> to = grad_image.slice(n, 1);
    const cuda::Resize resize{windows[static_cast<std::size_t>(n)], grad_image.extent(2),
                              grad_image.extent(3), grad_dst.extent(2), grad_dst.extent(3)};
    cuda::launch("crop_resize_adjoint", cuda::crop_resize_adjoint_kernel<T>,
                 cuda::grid_for(from.numel()), cuda::block_threads, context(), from.data(), resize,
                 from.numel(), to.data());
  }
}

template <class T>
void CudaPrimitives<T>::crop_resize_frame(const Tensor<std::uint8_t>& frame,
                                          const CropWindow& window, std::span<const T> offset,
                                          std::span<const T> scale, Tensor<T>& dst) {
  checks::crop_frame(frame.shape(), window, offset.size(), scale.size(), dst.shape());
  const cuda::Resize resize{window, frame.extent(0), frame.extent(1), dst.extent(2), dst.extent(3)};
  const std::int64_t area = dst.extent(2) * dst.extent(3);
  if (area == 0) return;
  const auto all = static_cast<int>(offset.size());
  for (int first = 0; first < all; first += cuda::most_channels) {
    cuda::Channels<T> channels{frame.extent(2), std::min(cuda::most_channels, all - first), {}, {}};
    std::copy_n(offset.begin() + first, channels.count, channels.offset);
    std::copy_n(scale.begin() + first, channels.count, channels.scale);
    cuda::launch("crop_resize_frame", cuda::crop_resize_frame_kernel<T>, cuda::grid_for(area),
                 cuda::block_threads, context(), frame.data() + first, resize, channels, area,
                 dst.data() + first * area);
  }
}

template <class T>
void CudaPrimitives<T>::unpack_pixels(const PixelRows& frame, std::int64_t top, std::int64_t left,
                                      std::int64_t step, Tensor<std::uint8_t>& pixels) {
  checks::pixels(frame, top, left, step, pixels.shape());
  const std::int64_t count = pixels.extent(0) * pixels.extent(1);
  if (count == 0) return;
  cuda::launch("unpack_pixels", cuda::unpack_pixels_kernel, cuda::grid_for(count),
               cuda::block_threads, context(), frame.data, frame, top, left, step, pixels.extent(1),
               count, pixels.data());
}

template class CudaPrimitives<float>;
template class CudaPrimitives<double>;

}  // namespace atomtrack
