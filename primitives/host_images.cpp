// SPDX-License-Identifier: MIT
#include "atomtrack/primitives/host_images.hpp"

#include <limits>

#include "atomtrack/primitives/checks.hpp"
#include "atomtrack/primitives/scalar/peaks.hpp"
#include "atomtrack/primitives/scalar/pixels.hpp"

namespace atomtrack::host {

void unpack_pixels(const PixelRows& frame, std::int64_t top, std::int64_t left, std::int64_t step,
                   Tensor<std::uint8_t>& pixels) {
  checks::pixels(frame, top, left, step, pixels.shape());
  const std::int64_t apart = step * frame.channels * frame.bytes;
  std::uint8_t* rgb = pixels.data();
  for (std::int64_t i = 0; i < pixels.extent(0); ++i) {
    const std::byte* pixel = frame.data + scalar::pixel_offset(frame, top + i * step, left);
    for (std::int64_t j = 0; j < pixels.extent(1); ++j, pixel += apart, rgb += 3)
      scalar::unpack_pixel(frame, pixel, rgb);
  }
}

template <class T>
void two_peaks(const Tensor<T>& maps, const Tensor<double>& sizes, Tensor<T>& peaks) {
  checks::two_peaks(maps.shape(), sizes.shape(), peaks.shape());
  const std::int64_t height = maps.extent(1), width = maps.extent(2);
  for (std::int64_t n = 0; n < maps.extent(0); ++n) {
    const T* map = maps.data() + n * height * width;
    const double* size = sizes.data() + n * 2;
    T* peak = peaks.data() + n * 6;
    const auto highest = [&](const scalar::Bounds& rows, const scalar::Bounds& columns) {
      scalar::Peak<T> best{height * width, std::numeric_limits<T>::quiet_NaN()};
      for (std::int64_t i = 0; i < height; ++i) {
        const bool row_out = i >= rows.first && i < rows.end;
        for (std::int64_t j = 0; j < width; ++j) {
          const bool out = row_out && j >= columns.first && j < columns.end;
          const scalar::Peak<T> here{i * width + j, out ? T{0} : map[i * width + j]};
          if (above(here, best)) best = here;
        }
      }
      return best;
    };
    const auto write = [&](const scalar::Peak<T>& best, T* to) {
      to[0] = static_cast<T>(best.at / width);
      to[1] = static_cast<T>(best.at % width);
      to[2] = best.value;
    };
    const scalar::Peak<T> first = highest({0, 0}, {0, 0});
    write(first, peak);
    write(highest(scalar::neighbourhood(first.at / width, size[0], height),
                  scalar::neighbourhood(first.at % width, size[1], width)),
          peak + 3);
  }
}

template void two_peaks(const Tensor<float>&, const Tensor<double>&, Tensor<float>&);
template void two_peaks(const Tensor<double>&, const Tensor<double>&, Tensor<double>&);

}  // namespace atomtrack::host
