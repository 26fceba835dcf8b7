// SPDX-License-Identifier: MIT
#include <algorithm>

#include "cpu/blas.hpp"
#include "cpu/convolution.hpp"
#include "cpu/filter_sums.hpp"

namespace atomtrack::cpu {
namespace {

/// One image's convolution as a matrix product: w [outputs, rows] times columns [rows, out_pixels].
struct Columns {
  Columns(const Shape& x, const Shape& w, Conv2dGeometry geometry)
      : channels(x[1]),
        height(x[2]),
        width(x[3]),
        outputs(w[0]),
        kernel_height(w[2]),
        kernel_width(w[3]),
        stride(geometry.stride),
        padding(geometry.padding) {
    const Shape y = conv2d_shape(x, w, geometry);
    out_height = y[2];
    out_width = y[3];
  }

  std::int64_t rows() const { return channels * kernel_height * kernel_width; }
  std::int64_t in_pixels() const { return height * width; }
  std::int64_t out_pixels() const { return out_height * out_width; }

  /// Calls f(position in the columns, position in x or -1) for every entry of the matrix.
  template <class F>
  void for_each_entry(F f) const {
    for (std::int64_t c = 0; c < channels; ++c)
      for (std::int64_t u = 0; u < kernel_height; ++u)
        for (std::int64_t v = 0; v < kernel_width; ++v) {
          const std::int64_t row = (c * kernel_height + u) * kernel_width + v;
          for (std::int64_t i = 0; i < out_height; ++i) {
            const std::int64_t at_row = i * stride + u - padding;
            const bool row_inside = at_row >= 0 && at_row < height;
            for (std::int64_t j = 0; j < out_width; ++j) {
              const std::int64_t at_column = j * stride + v - padding;
              const bool inside = row_inside && at_column >= 0 && at_column < width;
              f(row * out_pixels() + i * out_width + j,
                inside ? (c * height + at_row) * width + at_column : -1);
            }
          }
        }
  }

  std::int64_t channels, height, width, outputs, kernel_height, kernel_width, stride, padding;
  std::int64_t out_height = 0, out_width = 0;
};

template <class T>
void gather_columns(const Columns& shape, const T* x, T* columns) {
  shape.for_each_entry(
      [=](std::int64_t entry, std::int64_t at) { columns[entry] = at < 0 ? T{0} : x[at]; });
}

template <class T>
void scatter_columns(const Columns& shape, const T* columns, T* x) {
  shape.for_each_entry([=](std::int64_t entry, std::int64_t at) {
    if (at >= 0) x[at] += columns[entry];
  });
}

}  // namespace

template <class T>
void ColumnsConvolution<T>::forward(const Tensor<T>& x, const Tensor<T>& w, Conv2dGeometry geometry,
                                    Tensor<T>& y) {
  const Columns shape(x.shape(), w.shape(), geometry);
  const std::int64_t images = x.extent(0), size = shape.rows() * shape.out_pixels();
  Tensor<T> columns(Shape{pieces(images, 1), size});
  parallel_pieces(images, 1, [&](std::int64_t piece, std::int64_t begin, std::int64_t end) {
    T* own = columns.data() + piece * size;
    for (std::int64_t n = begin; n < end; ++n) {
      gather_columns(shape, x.data() + n * shape.channels * shape.in_pixels(), own);
      gemm(false, false, shape.outputs, shape.out_pixels(), shape.rows(), w.data(), shape.rows(),
           own, shape.out_pixels(), T{0}, y.data() + n * shape.outputs * shape.out_pixels(),
           shape.out_pixels());
    }
  });
}

template <class T>
void ColumnsConvolution<T>::data_adjoint(const Tensor<T>& gy, const Tensor<T>& w,
                                         Conv2dGeometry geometry, Write write, Tensor<T>& gx) {
  const Columns shape(gx.shape(), w.shape(), geometry);
  const std::int64_t images = gx.extent(0), size = shape.rows() * shape.out_pixels();
  if (write == Write::overwrite) std::fill_n(gx.data(), gx.numel(), T{0});
  Tensor<T> columns(Shape{pieces(images, 1), size});
  parallel_pieces(images, 1, [&](std::int64_t piece, std::int64_t begin, std::int64_t end) {
    T* own = columns.data() + piece * size;
    for (std::int64_t n = begin; n < end; ++n) {
      gemm(true, false, shape.rows(), shape.out_pixels(), shape.outputs, w.data(), shape.rows(),
           gy.data() + n * shape.outputs * shape.out_pixels(), shape.out_pixels(), T{0}, own,
           shape.out_pixels());
      scatter_columns(shape, own, gx.data() + n * shape.channels * shape.in_pixels());
    }
  });
}

template <class T>
void ColumnsConvolution<T>::filter_adjoint(const Tensor<T>& gy, const Tensor<T>& x,
                                           Conv2dGeometry geometry, Write write, Tensor<T>& gw) {
  const Columns shape(x.shape(), gw.shape(), geometry);
  const std::int64_t images = x.extent(0), size = shape.rows() * shape.out_pixels();
  Tensor<T> columns(Shape{pieces(images, 1), size});
  sum_over_images(images, 1, write, gw,
                  [&](std::int64_t piece, std::int64_t begin, std::int64_t end, T* sum) {
                    T* own = columns.data() + piece * size;
                    for (std::int64_t n = begin; n < end; ++n) {
                      gather_columns(shape, x.data() + n * shape.channels * shape.in_pixels(), own);
                      gemm(false, true, shape.outputs, shape.rows(), shape.out_pixels(),
                           gy.data() + n * shape.outputs * shape.out_pixels(), shape.out_pixels(),
                           own, shape.out_pixels(), T{1}, sum, shape.rows());
                    }
                  });
}

template struct ColumnsConvolution<float>;
template struct ColumnsConvolution<double>;

}  // namespace atomtrack::cpu
