// SPDX-License-Identifier: MIT
#include "cpu/blas.hpp"
#include "cpu/convolution.hpp"
#include "cpu/filter_sums.hpp"

namespace atomtrack::cpu {

template <class T>
bool PointwiseConvolution<T>::takes(const Shape& w, Conv2dGeometry geometry) {
  return w[2] == 1 && w[3] == 1 && geometry == Conv2dGeometry{1, 0};
}

// One image alone is left to BLAS's own threads; several are shared out, one thread each.

template <class T>
void PointwiseConvolution<T>::forward(const Tensor<T>& x, const Tensor<T>& w, Conv2dGeometry,
                                      Tensor<T>& y) {
  const std::int64_t outputs = w.extent(0), inputs = w.extent(1),
                     pixels = x.extent(2) * x.extent(3);
  parallel_for(x.extent(0), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) {
      gemm(false, false, outputs, pixels, inputs, w.data(), inputs, x.data() + n * inputs * pixels,
           pixels, T{0}, y.data() + n * outputs * pixels, pixels);
    }
  });
}

template <class T>
void PointwiseConvolution<T>::data_adjoint(const Tensor<T>& gy, const Tensor<T>& w, Conv2dGeometry,
                                           Write write, Tensor<T>& gx) {
  const std::int64_t outputs = w.extent(0), inputs = w.extent(1),
                     pixels = gx.extent(2) * gx.extent(3);
  const T beta = write == Write::accumulate ? T{1} : T{0};
  parallel_for(gx.extent(0), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) {
      gemm(true, false, inputs, pixels, outputs, w.data(), inputs, gy.data() + n * outputs * pixels,
           pixels, beta, gx.data() + n * inputs * pixels, pixels);
    }
  });
}

template <class T>
void PointwiseConvolution<T>::filter_adjoint(const Tensor<T>& gy, const Tensor<T>& x,
                                             Conv2dGeometry, Write write, Tensor<T>& gw) {
  const std::int64_t outputs = gw.extent(0), inputs = gw.extent(1),
                     pixels = x.extent(2) * x.extent(3);
  sum_over_images(x.extent(0), 1, write, gw,
                  [&](std::int64_t, std::int64_t begin, std::int64_t end, T* sum) {
                    for (std::int64_t n = begin; n < end; ++n) {
                      gemm(false, true, outputs, inputs, pixels, gy.data() + n * outputs * pixels,
                           pixels, x.data() + n * inputs * pixels, pixels, T{1}, sum, inputs);
                    }
                  });
}

template struct PointwiseConvolution<float>;
template struct PointwiseConvolution<double>;

}  // namespace atomtrack::cpu
