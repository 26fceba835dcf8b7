// SPDX-License-Identifier: MIT
#include "cpu/convolution.hpp"

#include <algorithm>
#include <type_traits>

#include "atomtrack/primitives/checks.hpp"
#include "cpu/cpu_primitives.hpp"

namespace atomtrack {
namespace {

/// Calls f with the way that suits this filter best, as a value of its (stateless) type.
template <class T, class F>
void with_convolution(const Shape& w, Conv2dGeometry geometry, F f) {
  if (geometry.precision != Precision::full) {
#ifdef ATOMTRACK_WITH_ONEDNN
    if constexpr (std::is_same_v<T, float>) {
      if (cpu::OneDnnConvolution::offers(geometry.precision)) return f(cpu::OneDnnConvolution{});
    }
#endif
    checks::full_precision(geometry.precision, "cpu");
  }
  if (cpu::TapsConvolution<T>::takes(w, geometry)) return f(cpu::TapsConvolution<T>{});
  if (cpu::PointwiseConvolution<T>::takes(w, geometry)) return f(cpu::PointwiseConvolution<T>{});
#ifdef ATOMTRACK_WITH_ONEDNN
  if constexpr (std::is_same_v<T, float>) return f(cpu::OneDnnConvolution{});
#endif
  f(cpu::ColumnsConvolution<T>{});
}

/// Whether a convolution's direction has no products to sum (no images, or no channels on one side:
/// oneDNN refuses those); its result is then zeros, or what it was.
template <class T>
bool nothing_to_sum(const Tensor<T>& a, const Tensor<T>& b, Write write, Tensor<T>& result) {
  if (a.numel() > 0 && b.numel() > 0 && result.numel() > 0) return false;
  if (write == Write::overwrite) std::fill_n(result.data(), result.numel(), T{0});
  return true;
}

}  // namespace

template <class T>
void CpuPrimitives<T>::conv2d(const Tensor<T>& x, const Tensor<T>& w, Conv2dGeometry geometry,
                              Tensor<T>& y) {
  checks::conv2d(x.shape(), w.shape(), geometry, y.shape());
  if (nothing_to_sum(x, w, Write::overwrite, y)) return;
  with_convolution<T>(w.shape(), geometry, [&](auto way) { way.forward(x, w, geometry, y); });
}

template <class T>
void CpuPrimitives<T>::conv2d_data_adjoint(const Tensor<T>& gy, const Tensor<T>& w,
                                           Conv2dGeometry geometry, Write write, Tensor<T>& gx) {
  checks::conv2d(gx.shape(), w.shape(), geometry, gy.shape());
  if (nothing_to_sum(gy, w, write, gx)) return;
  with_convolution<T>(w.shape(), geometry,
                      [&](auto way) { way.data_adjoint(gy, w, geometry, write, gx); });
}

template <class T>
void CpuPrimitives<T>::conv2d_filter_adjoint(const Tensor<T>& gy, const Tensor<T>& x,
                                             Conv2dGeometry geometry, Write write, Tensor<T>& gw) {
  checks::conv2d(x.shape(), gw.shape(), geometry, gy.shape());
  if (nothing_to_sum(gy, x, write, gw)) return;
  with_convolution<T>(gw.shape(), geometry,
                      [&](auto way) { way.filter_adjoint(gy, x, geometry, write, gw); });
}

template class CpuPrimitives<float>;
template class CpuPrimitives<double>;

}  // namespace atomtrack
