// SPDX-License-Identifier: MIT
#include <algorithm>

#include "cpu/blas.hpp"
#include "cpu/convolution.hpp"
#include "cpu/filter_sums.hpp"

namespace atomtrack::cpu {
namespace {

/// The extents of one single-channel convolution, and the shifts between its taps.
struct Taps {
  Taps(const Shape& x, const Shape& w, Conv2dGeometry geometry)
      : channels(x[1]),
        height(x[2]),
        width(x[3]),
        kernel_height(w[2]),
        kernel_width(w[3]),
        padding(geometry.padding),
        out_height(height + 2 * padding - kernel_height + 1),
        out_width(width + 2 * padding - kernel_width + 1) {}

  std::int64_t count() const { return kernel_height * kernel_width; }
  std::int64_t pixels() const { return height * width; }
  std::int64_t out_pixels() const { return out_height * out_width; }

  /// Calls f(x offset, y offset, length) for every row of x that tap (u, v) reads: there, y[i,j]
  /// meets x[i+u-p, j+v-p].
  template <class F>
  void for_each_row(std::int64_t u, std::int64_t v, F f) const {
    const std::int64_t first_column = std::max<std::int64_t>(0, v - padding);
    const std::int64_t end_column = std::min(width, out_width + v - padding);
    if (end_column <= first_column) return;
    const std::int64_t first_row = std::max<std::int64_t>(0, u - padding);
    const std::int64_t end_row = std::min(height, out_height + u - padding);
    for (std::int64_t row = first_row; row < end_row; ++row) {
      f(row * width + first_column, (row - u + padding) * out_width + first_column - v + padding,
        end_column - first_column);
    }
  }

  std::int64_t channels, height, width, kernel_height, kernel_width, padding, out_height, out_width;
};

/// y[i,j] = sum of the taps' products [count, pixels], each shifted to where it belongs.
template <class T>
void add_up(const Taps& taps, const T* products, T* y) {
  std::fill_n(y, taps.out_pixels(), T{0});
  for (std::int64_t t = 0; t < taps.count(); ++t) {
    const T* product = products + t * taps.pixels();
    taps.for_each_row(t / taps.kernel_width, t % taps.kernel_width,
                      [&](std::int64_t at_x, std::int64_t at_y, std::int64_t length) {
                        for (std::int64_t j = 0; j < length; ++j) y[at_y + j] += product[at_x + j];
                      });
  }
}

/// The adjoint: every tap's shifted copy of gy, zero where the tap reads padding.
template <class T>
void spread(const Taps& taps, const T* gy, T* copies) {
  std::fill_n(copies, taps.count() * taps.pixels(), T{0});
  for (std::int64_t t = 0; t < taps.count(); ++t) {
    T* copy = copies + t * taps.pixels();
    taps.for_each_row(t / taps.kernel_width, t % taps.kernel_width,
                      [&](std::int64_t at_x, std::int64_t at_y, std::int64_t length) {
                        std::copy_n(gy + at_y, length, copy + at_x);
                      });
  }
}

}  // namespace

template <class T>
bool TapsConvolution<T>::takes(const Shape& w, Conv2dGeometry geometry) {
  return w[0] == 1 && geometry.stride == 1;
}

// w is [1, channels, taps]: a matrix [channels, taps].

template <class T>
void TapsConvolution<T>::forward(const Tensor<T>& x, const Tensor<T>& w, Conv2dGeometry geometry,
                                 Tensor<T>& y) {
  const Taps taps(x.shape(), w.shape(), geometry);
  const std::int64_t images = x.extent(0), size = taps.count() * taps.pixels();
  Tensor<T> products(Shape{pieces(images, 1), size});
  parallel_pieces(images, 1, [&](std::int64_t piece, std::int64_t begin, std::int64_t end) {
    T* own = products.data() + piece * size;
    for (std::int64_t n = begin; n < end; ++n) {
      gemm(true, false, taps.count(), taps.pixels(), taps.channels, w.data(), taps.count(),
           x.data() + n * taps.channels * taps.pixels(), taps.pixels(), T{0}, own, taps.pixels());
      add_up(taps, own, y.data() + n * taps.out_pixels());
    }
  });
}

template <class T>
void TapsConvolution<T>::data_adjoint(const Tensor<T>& gy, const Tensor<T>& w,
                                      Conv2dGeometry geometry, Write write, Tensor<T>& gx) {
  const Taps taps(gx.shape(), w.shape(), geometry);
  const std::int64_t images = gx.extent(0), size = taps.count() * taps.pixels();
  const T beta = write == Write::accumulate ? T{1} : T{0};
  Tensor<T> copies(Shape{pieces(images, 1), size});
  parallel_pieces(images, 1, [&](std::int64_t piece, std::int64_t begin, std::int64_t end) {
    T* own = copies.data() + piece * size;
    for (std::int64_t n = begin; n < end; ++n) {
      spread(taps, gy.data() + n * taps.out_pixels(), own);
      gemm(false, false, taps.channels, taps.pixels(), taps.count(), w.data(), taps.count(), own,
           taps.pixels(), beta, gx.data() + n * taps.channels * taps.pixels(), taps.pixels());
    }
  });
}

template <class T>
void TapsConvolution<T>::filter_adjoint(const Tensor<T>& gy, const Tensor<T>& x,
                                        Conv2dGeometry geometry, Write write, Tensor<T>& gw) {
  const Taps taps(x.shape(), gw.shape(), geometry);
  const std::int64_t images = x.extent(0), size = taps.count() * taps.pixels();
  Tensor<T> copies(Shape{pieces(images, 1), size});
  sum_over_images(images, 1, write, gw,
                  [&](std::int64_t piece, std::int64_t begin, std::int64_t end, T* sum) {
                    T* own = copies.data() + piece * size;
                    for (std::int64_t n = begin; n < end; ++n) {
                      spread(taps, gy.data() + n * taps.out_pixels(), own);
                      gemm(false, true, taps.channels, taps.count(), taps.pixels(),
                           x.data() + n * taps.channels * taps.pixels(), taps.pixels(), own,
                           taps.pixels(), T{1}, sum, taps.count());
                    }
                  });
}

template struct TapsConvolution<float>;
template struct TapsConvolution<double>;

}  // namespace atomtrack::cpu
