// SPDX-License-Identifier: MIT
#include <cmath>
#include <limits>

#include "atomtrack/primitives/checks.hpp"
#include "reference/reference_primitives.hpp"

namespace atomtrack {
namespace {

/// Calls f(y index, x index, w index) for every product of the convolution's definition.
template <class F>
void for_each_product(const Shape& x, const Shape& w, Conv2dGeometry geometry, F f) {
  const Shape y = conv2d_shape(x, w, geometry);
  for (std::int64_t n = 0; n < x[0]; ++n)
    for (std::int64_t o = 0; o < w[0]; ++o)
      for (std::int64_t i = 0; i < y[2]; ++i)
        for (std::int64_t j = 0; j < y[3]; ++j)
          for (std::int64_t c = 0; c < w[1]; ++c)
            for (std::int64_t u = 0; u < w[2]; ++u)
              for (std::int64_t v = 0; v < w[3]; ++v) {
                const std::int64_t row = i * geometry.stride + u - geometry.padding;
                const std::int64_t column = j * geometry.stride + v - geometry.padding;
                if (row < 0 || row >= x[2] || column < 0 || column >= x[3]) continue;
                f(((n * w[0] + o) * y[2] + i) * y[3] + j,
                  ((n * x[1] + c) * x[2] + row) * x[3] + column,
                  ((o * w[1] + c) * w[2] + u) * w[3] + v);
              }
}

/// Calls f(y index, row, column, x index) for every pixel of every pooling window, pixels of the
/// padding included (their x index is -1).
template <class F>
void for_each_window_pixel(const Shape& x, Pool2dGeometry geometry, F f) {
  const Shape y = pool2d_shape(x, geometry);
  for (std::int64_t plane = 0; plane < x[0] * x[1]; ++plane)
    for (std::int64_t i = 0; i < y[2]; ++i)
      for (std::int64_t j = 0; j < y[3]; ++j)
        for (std::int64_t u = 0; u < geometry.window; ++u)
          for (std::int64_t v = 0; v < geometry.window; ++v) {
            const std::int64_t row = i * geometry.stride + u - geometry.padding;
            const std::int64_t column = j * geometry.stride + v - geometry.padding;
            const bool inside = row >= 0 && row < x[2] && column >= 0 && column < x[3];
            f((plane * y[2] + i) * y[3] + j, inside ? (plane * x[2] + row) * x[3] + column : -1);
          }
}

}  // namespace

template <class T>
void ReferencePrimitives<T>::conv2d(const Tensor<T>& x, const Tensor<T>& w, Conv2dGeometry geometry,
                                    Tensor<T>& y) {
  checks::conv2d(x.shape(), w.shape(), geometry, y.shape());
  checks::full_precision(geometry.precision, this->name());
  this->fill(T{0}, y);
  for_each_product(x.shape(), w.shape(), geometry, [&](auto at_y, auto at_x, auto at_w) {
    y.data()[at_y] += x.data()[at_x] * w.data()[at_w];
  });
}

template <class T>
void ReferencePrimitives<T>::conv2d_data_adjoint(const Tensor<T>& gy, const Tensor<T>& w,
                                                 Conv2dGeometry geometry, Write write,
                                                 Tensor<T>& gx) {
  checks::conv2d(gx.shape(), w.shape(), geometry, gy.shape());
  checks::full_precision(geometry.precision, this->name());
  if (write == Write::overwrite) this->fill(T{0}, gx);
  for_each_product(gx.shape(), w.shape(), geometry, [&](auto at_y, auto at_x, auto at_w) {
    gx.data()[at_x] += gy.data()[at_y] * w.data()[at_w];
  });
}

template <class T>
void ReferencePrimitives<T>::conv2d_filter_adjoint(const Tensor<T>& gy, const Tensor<T>& x,
                                                   Conv2dGeometry geometry, Write write,
                                                   Tensor<T>& gw) {
  checks::conv2d(x.shape(), gw.shape(), geometry, gy.shape());
  checks::full_precision(geometry.precision, this->name());
  if (write == Write::overwrite) this->fill(T{0}, gw);
  for_each_product(x.shape(), gw.shape(), geometry, [&](auto at_y, auto at_x, auto at_w) {
    gw.data()[at_w] += gy.data()[at_y] * x.data()[at_x];
  });
}

template <class T>
void ReferencePrimitives<T>::max_pool2d(const Tensor<T>& x, Pool2dGeometry geometry, Tensor<T>& y,
                                        Tensor<std::int32_t>& indices) {
  checks::pool2d("max_pool2d", x.shape(), geometry, y.shape());
  checks::same_shape("max_pool2d", y.shape(), indices.shape());
  this->fill(-std::numeric_limits<T>::infinity(), y);
  std::fill_n(indices.data(), indices.numel(), -1);
  for_each_window_pixel(x.shape(), geometry, [&](auto at_y, auto at_x) {
    if (at_x < 0) return;
    T& best = y.data()[at_y];
    const T value = x.data()[at_x];
    const bool first = indices.data()[at_y] < 0;
    if (first || value > best || (std::isnan(value) && !std::isnan(best))) {
      best = value;
      indices.data()[at_y] = static_cast<std::int32_t>(at_x);
    }
  });
}

template <class T>
void ReferencePrimitives<T>::average_pool2d(const Tensor<T>& x, Pool2dGeometry geometry,
                                            Tensor<T>& y) {
  checks::pool2d("average_pool2d", x.shape(), geometry, y.shape());
  this->fill(T{0}, y);
  const T share = T{1} / static_cast<T>(geometry.window * geometry.window);
  for_each_window_pixel(x.shape(), geometry, [&](auto at_y, auto at_x) {
    if (at_x >= 0) y.data()[at_y] += share * x.data()[at_x];
  });
}

template <class T>
void ReferencePrimitives<T>::average_pool2d_adjoint(const Tensor<T>& gy, Pool2dGeometry geometry,
                                                    Write write, Tensor<T>& gx) {
  checks::pool2d("average_pool2d_adjoint", gx.shape(), geometry, gy.shape());
  if (write == Write::overwrite) this->fill(T{0}, gx);
  const T share = T{1} / static_cast<T>(geometry.window * geometry.window);
  for_each_window_pixel(gx.shape(), geometry, [&](auto at_y, auto at_x) {
    if (at_x >= 0) gx.data()[at_x] += share * gy.data()[at_y];
  });
}

template class ReferencePrimitives<float>;
template class ReferencePrimitives<double>;

}  // namespace atomtrack
