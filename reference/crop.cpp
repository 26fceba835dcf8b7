// SPDX-License-Identifier: MIT
#include "atomtrack/primitives/checks.hpp"
#include "atomtrack/primitives/scalar/bilinear.hpp"
#include "reference/reference_primitives.hpp"

namespace atomtrack {
namespace {

using scalar::BilinearTap;

/// Calls f(output row, output column, row tap, column tap) for every output pixel of one window.
template <class T, class F>
void for_each_output(const CropWindow& window, std::int64_t height, std::int64_t width,
                     std::int64_t image_height, std::int64_t image_width, F f) {
  for (std::int64_t i = 0; i < height; ++i) {
    const auto row = scalar::bilinear_tap<T>(i, height, window.top, window.height, image_height,
                                             window.step, window.offset_y);
    for (std::int64_t j = 0; j < width; ++j) {
      const auto column = scalar::bilinear_tap<T>(j, width, window.left, window.width, image_width,
                                                  window.step, window.offset_x);
      f(i, j, row, column);
    }
  }
}

/// Calls f(row, column, weight) for the four pixels that a pair of taps reads.
template <class T, class F>
void for_each_neighbour(const BilinearTap<T>& row, const BilinearTap<T>& column, F f) {
  f(row.first, column.first, (T{1} - row.share) * (T{1} - column.share));
  f(row.first, column.second, (T{1} - row.share) * column.share);
  f(row.second, column.first, row.share * (T{1} - column.share));
  f(row.second, column.second, row.share * column.share);
}

}  // namespace

template <class T>
void ReferencePrimitives<T>::crop_resize(const Tensor<T>& image,
                                         std::span<const CropWindow> windows, Tensor<T>& dst) {
  checks::crop(image.shape(), windows, dst.shape());
  const std::int64_t channels = dst.extent(1), height = dst.extent(2), width = dst.extent(3);
  const std::int64_t image_height = image.extent(2), image_width = image.extent(3);
  for (std::int64_t n = 0; n < dst.extent(0); ++n) {
    for_each_output<T>(windows[static_cast<std::size_t>(n)], height, width, image_height,
                       image_width, [&](auto i, auto j, const auto& row, const auto& column) {
                         for (std::int64_t c = 0; c < channels; ++c) {
                           const T* plane =
                               image.data() + (n * channels + c) * image_height * image_width;
                           T value{0};
                           for_each_neighbour(row, column, [&](auto r, auto s, T weight) {
                             value += weight * plane[r * image_width + s];
                           });
                           dst.data()[((n * channels + c) * height + i) * width + j] = value;
                         }
                       });
  }
}

template <class T>
void ReferencePrimitives<T>::crop_resize_adjoint(const Tensor<T>& grad_dst,
                                                 std::span<const CropWindow> windows, Write write,
                                                 Tensor<T>& grad_image) {
  checks::crop(grad_image.shape(), windows, grad_dst.shape());
  if (write == Write::overwrite) this->fill(T{0}, grad_image);
  const std::int64_t channels = grad_dst.extent(1), height = grad_dst.extent(2),
                     width = grad_dst.extent(3);
  const std::int64_t image_height = grad_image.extent(2), image_width = grad_image.extent(3);
  for (std::int64_t n = 0; n < grad_dst.extent(0); ++n) {
    for_each_output<T>(
        windows[static_cast<std::size_t>(n)], height, width, image_height, image_width,
        [&](auto i, auto j, const auto& row, const auto& column) {
          for (std::int64_t c = 0; c < channels; ++c) {
            T* plane = grad_image.data() + (n * channels + c) * image_height * image_width;
            const T value = grad_dst.data()[((n * channels + c) * height + i) * width + j];
            for_each_neighbour(row, column, [&](auto r, auto s, T weight) {
              plane[r * image_width + s] += weight * value;
            });
          }
        });
  }
}

template <class T>
void ReferencePrimitives<T>::crop_resize_frame(const Tensor<std::uint8_t>& frame,
                                               const CropWindow& window, std::span<const T> offset,
                                               std::span<const T> scale, Tensor<T>& dst) {
  checks::crop_frame(frame.shape(), window, offset.size(), scale.size(), dst.shape());
  const std::int64_t channels = frame.extent(2), height = dst.extent(2), width = dst.extent(3);
  for_each_output<T>(
      window, height, width, frame.extent(0), frame.extent(1),
      [&](auto i, auto j, const auto& row, const auto& column) {
        for (std::int64_t c = 0; c < channels; ++c) {
          T value{0};
          for_each_neighbour(row, column, [&](auto r, auto s, T weight) {
            const auto pixel = frame.data()[(r * frame.extent(1) + s) * channels + c];
            value += weight * static_cast<T>(pixel);
          });
          const auto channel = static_cast<std::size_t>(c);
          dst.data()[(c * height + i) * width + j] = (value - offset[channel]) * scale[channel];
        }
      });
}

template class ReferencePrimitives<float>;
template class ReferencePrimitives<double>;

}  // namespace atomtrack
