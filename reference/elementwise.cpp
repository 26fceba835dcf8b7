// SPDX-License-Identifier: MIT
#include <algorithm>

#include "atomtrack/primitives/checks.hpp"
#include "atomtrack/primitives/strides.hpp"
#include "reference/reference_primitives.hpp"

namespace atomtrack {

template <class T>
void ReferencePrimitives<T>::fill(T value, Tensor<T>& dst) {
  std::fill_n(dst.data(), dst.numel(), value);
}

template <class T>
void ReferencePrimitives<T>::copy(const Tensor<T>& src, Tensor<T>& dst) {
  checks::same_shape("copy", src.shape(), dst.shape());
  std::copy_n(src.data(), src.numel(), dst.data());
}

template <class T>
void ReferencePrimitives<T>::map(const Map& f, const Tensor<T>& src, Tensor<T>& dst) {
  checks::same_shape("map", src.shape(), dst.shape());
  for (std::int64_t i = 0; i < src.numel(); ++i) dst.data()[i] = scalar::apply(f, src.data()[i]);
}

template <class T>
void ReferencePrimitives<T>::combine(Combination f, const Tensor<T>& a, const Tensor<T>& b,
                                     Tensor<T>& dst) {
  checks::broadcasts_to("combine", a.shape(), b.shape(), dst.shape());
  Odometer<2> at(dst.shape(), {broadcast_strides(a.shape(), dst.shape()),
                               broadcast_strides(b.shape(), dst.shape())});
  for (std::int64_t i = 0; i < dst.numel(); ++i, at.advance()) {
    dst.data()[i] = scalar::combine(f, a.data()[at.offset(0)], b.data()[at.offset(1)]);
  }
}

template <class T>
void ReferencePrimitives<T>::reduce_sum(const Tensor<T>& src, Write write, Tensor<T>& dst) {
  checks::reduces_to(src.shape(), dst.shape());
  if (write == Write::overwrite) fill(T{0}, dst);
  Odometer<1> at(src.shape(), {broadcast_strides(dst.shape(), src.shape())});
  for (std::int64_t i = 0; i < src.numel(); ++i, at.advance()) {
    dst.data()[at.offset(0)] += src.data()[i];
  }
}

template <class T>
void ReferencePrimitives<T>::dot(const Tensor<T>& x, const Tensor<T>& y, Write write,
                                 Tensor<double>& result) {
  checks::same_shape("dot", x.shape(), y.shape());
  checks::scalar("dot", result.shape());
  double sum = write == Write::accumulate ? result.data()[0] : 0.0;
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    sum += static_cast<double>(x.data()[i]) * static_cast<double>(y.data()[i]);
  }
  result.data()[0] = sum;
}

template <class T>
void ReferencePrimitives<T>::axpy(double factor, const Tensor<double>& alpha, const Tensor<T>& x,
                                  Tensor<T>& y) {
  checks::same_shape("axpy", x.shape(), y.shape());
  checks::scalar("axpy", alpha.shape());
  const T step = static_cast<T>(factor * alpha.data()[0]);
  for (std::int64_t i = 0; i < x.numel(); ++i) y.data()[i] += step * x.data()[i];
}

template <class T>
void ReferencePrimitives<T>::xpby(const Tensor<T>& x, const Tensor<double>& beta, Tensor<T>& y) {
  checks::same_shape("xpby", x.shape(), y.shape());
  checks::scalar("xpby", beta.shape());
  const T factor = static_cast<T>(beta.data()[0]);
  for (std::int64_t i = 0; i < x.numel(); ++i) y.data()[i] = x.data()[i] + factor * y.data()[i];
}

template class ReferencePrimitives<float>;
template class ReferencePrimitives<double>;

}  // namespace atomtrack
