// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>

#include "atomtrack/primitives/checks.hpp"
#include "cpu/cpu_primitives.hpp"
#include "cpu/parallel.hpp"

namespace atomtrack {
namespace {

/// One pooling window cut to the image.
struct Window {
  std::int64_t first_row, end_row, first_column, end_column;
};

/// Calls f(plane, position in y, window) for every window, planes in parallel.
template <class F>
void for_each_window(const Shape& x, const Shape& y, Pool2dGeometry geometry, F f) {
  const std::int64_t planes = x[0] * x[1];
  const std::int64_t grain = cpu::elementwise_grain / std::max<std::int64_t>(1, x[2] * x[3]) + 1;
  cpu::parallel_for(planes, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t plane = begin; plane < end; ++plane)
      for (std::int64_t i = 0; i < y[2]; ++i)
        for (std::int64_t j = 0; j < y[3]; ++j) {
          const std::int64_t row = i * geometry.stride - geometry.padding;
          const std::int64_t column = j * geometry.stride - geometry.padding;
          const Window window{std::max<std::int64_t>(0, row), std::min(x[2], row + geometry.window),
                              std::max<std::int64_t>(0, column),
                              std::min(x[3], column + geometry.window)};
          f(plane, (plane * y[2] + i) * y[3] + j, window);
        }
  });
}

}  // namespace

template <class T>
void CpuPrimitives<T>::max_pool2d(const Tensor<T>& x, Pool2dGeometry geometry, Tensor<T>& y,
                                  Tensor<std::int32_t>& indices) {
  checks::pool2d("max_pool2d", x.shape(), geometry, y.shape());
  checks::same_shape("max_pool2d", y.shape(), indices.shape());
  const std::int64_t width = x.extent(3), pixels = x.extent(2) * width;
  for_each_window(
      x.shape(), y.shape(), geometry,
      [&](std::int64_t plane, std::int64_t at, const Window& window) {
        std::int64_t best = plane * pixels + window.first_row * width + window.first_column;
        for (std::int64_t row = window.first_row; row < window.end_row; ++row) {
          for (std::int64_t column = window.first_column; column < window.end_column; ++column) {
            const std::int64_t candidate = plane * pixels + row * width + column;
            const T value = x.data()[candidate];
            const T highest = x.data()[best];
            if (value > highest || (std::isnan(value) && !std::isnan(highest))) best = candidate;
          }
        }
        y.data()[at] = x.data()[best];
        indices.data()[at] = static_cast<std::int32_t>(best);
      });
}

template <class T>
void CpuPrimitives<T>::average_pool2d(const Tensor<T>& x, Pool2dGeometry geometry, Tensor<T>& y) {
  checks::pool2d("average_pool2d", x.shape(), geometry, y.shape());
  const std::int64_t width = x.extent(3), pixels = x.extent(2) * width;
  const T share = T{1} / static_cast<T>(geometry.window * geometry.window);
  for_each_window(x.shape(), y.shape(), geometry,
                  [&](std::int64_t plane, std::int64_t at, const Window& window) {
                    T sum{0};
                    for (std::int64_t row = window.first_row; row < window.end_row; ++row) {
                      for (std::int64_t column = window.first_column; column < window.end_column;
                           ++column) {
                        sum += x.data()[plane * pixels + row * width + column];
                      }
                    }
                    y.data()[at] = share * sum;
                  });
}

template <class T>
void CpuPrimitives<T>::average_pool2d_adjoint(const Tensor<T>& gy, Pool2dGeometry geometry,
                                              Write write, Tensor<T>& gx) {
  checks::pool2d("average_pool2d_adjoint", gx.shape(), geometry, gy.shape());
  if (write == Write::overwrite) this->fill(T{0}, gx);
  const std::int64_t width = gx.extent(3), pixels = gx.extent(2) * width;
  const T share = T{1} / static_cast<T>(geometry.window * geometry.window);
  for_each_window(gx.shape(), gy.shape(), geometry,
                  [&](std::int64_t plane, std::int64_t at, const Window& window) {
                    const T value = share * gy.data()[at];
                    for (std::int64_t row = window.first_row; row < window.end_row; ++row) {
                      for (std::int64_t column = window.first_column; column < window.end_column;
                           ++column) {
                        gx.data()[plane * pixels + row * width + column] += value;
                      }
                    }
                  });
}

template class CpuPrimitives<float>;
template class CpuPrimitives<double>;

}  // namespace atomtrack
