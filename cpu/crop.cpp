// SPDX-License-Identifier: MIT
#include <algorithm>
#include <vector>

#include "atomtrack/primitives/checks.hpp"
#include "atomtrack/primitives/scalar/bilinear.hpp"
#include "cpu/cpu_primitives.hpp"
#include "cpu/parallel.hpp"

namespace atomtrack {
namespace {

using scalar::BilinearTap;

template <class T>
std::vector<BilinearTap<T>> row_taps(const CropWindow& window, std::int64_t height,
                                     std::int64_t image_height) {
  std::vector<BilinearTap<T>> taps;
  for (std::int64_t i = 0; i < height; ++i) {
    taps.push_back(scalar::bilinear_tap<T>(i, height, window.top, window.height, image_height,
                                           window.step, window.offset_y));
  }
  return taps;
}

template <class T>
std::vector<BilinearTap<T>> column_taps(const CropWindow& window, std::int64_t width,
                                        std::int64_t image_width) {
  std::vector<BilinearTap<T>> taps;
  for (std::int64_t j = 0; j < width; ++j) {
    taps.push_back(scalar::bilinear_tap<T>(j, width, window.left, window.width, image_width,
                                           window.step, window.offset_x));
  }
  return taps;
}

/// The bilinear value where two rows of pixels meet a column tap; pixels are `stride` apart.
template <class T, class Pixel>
T sample(const Pixel* upper, const Pixel* lower, const BilinearTap<T>& row,
         const BilinearTap<T>& column, std::int64_t stride) {
  const auto at = [stride](const Pixel* pixels, std::int64_t index) {
    return static_cast<T>(pixels[index * stride]);
  };
  return (T{1} - row.share) * ((T{1} - column.share) * at(upper, column.first) +
                               column.share * at(upper, column.second)) +
         row.share * ((T{1} - column.share) * at(lower, column.first) +
                      column.share * at(lower, column.second));
}

}  // namespace

template <class T>
void CpuPrimitives<T>::crop_resize(const Tensor<T>& image, std::span<const CropWindow> windows,
                                   Tensor<T>& dst) {
  checks::crop(image.shape(), windows, dst.shape());
  const std::int64_t channels = dst.extent(1), height = dst.extent(2), width = dst.extent(3);
  const std::int64_t image_height = image.extent(2), image_width = image.extent(3);
  for (std::int64_t n = 0; n < dst.extent(0); ++n) {
    const CropWindow& window = windows[static_cast<std::size_t>(n)];
    const auto rows = row_taps<T>(window, height, image_height);
    const auto columns = column_taps<T>(window, width, image_width);
    cpu::parallel_for(
        channels * height, cpu::elementwise_grain / std::max<std::int64_t>(1, width) + 1,
        [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t line = begin; line < end; ++line) {
            const auto& row = rows[static_cast<std::size_t>(line % height)];
            const T* plane =
                image.data() + (n * channels + line / height) * image_height * image_width;
            T* out = dst.data() + (n * channels * height + line) * width;
            for (std::int64_t j = 0; j < width; ++j) {
              out[j] = sample(plane + row.first * image_width, plane + row.second * image_width,
                              row, columns[static_cast<std::size_t>(j)], 1);
            }
          }
        });
  }
}

template <class T>
void CpuPrimitives<T>::crop_resize_adjoint(const Tensor<T>& grad_dst,
                                           std::span<const CropWindow> windows, Write write,
                                           Tensor<T>& grad_image) {
  checks::crop(grad_image.shape(), windows, grad_dst.shape());
  if (write == Write::overwrite) this->fill(T{0}, grad_image);
  const std::int64_t channels = grad_dst.extent(1), height = grad_dst.extent(2),
                     width = grad_dst.extent(3);
  const std::int64_t image_height = grad_image.extent(2), image_width = grad_image.extent(3);
  for (std::int64_t n = 0; n < grad_dst.extent(0); ++n) {
    const CropWindow& window = windows[static_cast<std::size_t>(n)];
    const auto rows = row_taps<T>(window, height, image_height);
    const auto columns = column_taps<T>(window, width, image_width);
    // Outputs share pixels within a channel, so threads take whole channels.
    cpu::parallel_for(channels, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t c = begin; c < end; ++c) {
        T* plane = grad_image.data() + (n * channels + c) * image_height * image_width;
        for (std::int64_t i = 0; i < height; ++i) {
          const auto& row = rows[static_cast<std::size_t>(i)];
          const T* in = grad_dst.data() + ((n * channels + c) * height + i) * width;
          T* upper = plane + row.first * image_width;
          T* lower = plane + row.second * image_width;
          for (std::int64_t j = 0; j < width; ++j) {
            const auto& column = columns[static_cast<std::size_t>(j)];
            upper[column.first] += (T{1} - row.share) * (T{1} - column.share) * in[j];
            upper[column.second] += (T{1} - row.share) * column.share * in[j];
            lower[column.first] += row.share * (T{1} - column.share) * in[j];
            lower[column.second] += row.share * column.share * in[j];
          }
        }
      }
    });
  }
}

template <class T>
void CpuPrimitives<T>::crop_resize_frame(const Tensor<std::uint8_t>& frame,
                                         const CropWindow& window, std::span<const T> offset,
                                         std::span<const T> scale, Tensor<T>& dst) {
  checks::crop_frame(frame.shape(), window, offset.size(), scale.size(), dst.shape());
  const std::int64_t channels = frame.extent(2), height = dst.extent(2), width = dst.extent(3);
  const std::int64_t pitch = frame.extent(1) * channels;
  const auto rows = row_taps<T>(window, height, frame.extent(0));
  const auto columns = column_taps<T>(window, width, frame.extent(1));
  cpu::parallel_for(height, cpu::elementwise_grain / std::max<std::int64_t>(1, width) + 1,
                    [&](std::int64_t begin, std::int64_t end) {
                      for (std::int64_t i = begin; i < end; ++i) {
                        const auto& row = rows[static_cast<std::size_t>(i)];
                        for (std::int64_t c = 0; c < channels; ++c) {
                          const std::uint8_t* upper = frame.data() + row.first * pitch + c;
                          const std::uint8_t* lower = frame.data() + row.second * pitch + c;
                          const T low = offset[static_cast<std::size_t>(c)];
                          const T factor = scale[static_cast<std::size_t>(c)];
                          T* out = dst.data() + (c * height + i) * width;
                          for (std::int64_t j = 0; j < width; ++j) {
                            const T value = sample(upper, lower, row,
                                                   columns[static_cast<std::size_t>(j)], channels);
                            out[j] = (value - low) * factor;
                          }
                        }
                      }
                    });
}

template class CpuPrimitives<float>;
template class CpuPrimitives<double>;

}  // namespace atomtrack
