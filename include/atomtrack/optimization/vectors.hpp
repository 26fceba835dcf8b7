// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "atomtrack/autodiff/operations.hpp"

namespace atomtrack {

/// Residuals r(w) as any number of tensors, of parameters w as any number of tensors: L(w) =
/// ||r(w)||^2, equation (3).
template <class T>
using ResidualFunction = std::function<std::vector<Variable<T>>(std::span<const Variable<T>> w)>;

namespace detail {

// A vector of the optimiser's space is a list of tensors. Scalars are one-element tensors on the
// device.

template <class T>
using Vector = std::vector<Tensor<T>>;
using DeviceScalar = Tensor<double>;

template <class T>
Vector<T> zeros_like(std::span<const Tensor<T>> v) {
  Vector<T> result;
  for (const Tensor<T>& part : v) {
    result.emplace_back(part.shape(), part.device());
    primitives_for<T>(part.device()).fill(T{0}, result.back());
  }
  return result;
}

template <class T>
void copy(const Vector<T>& from, Vector<T>& to) {
  for (std::size_t k = 0; k < from.size(); ++k)
    primitives_for<T>(from[k].device()).copy(from[k], to[k]);
}

/// result = a^T b.
template <class T>
void dot(const Vector<T>& a, const Vector<T>& b, DeviceScalar& result) {
  for (std::size_t k = 0; k < a.size(); ++k) {
    primitives_for<T>(a[k].device())
        .dot(a[k], b[k], k == 0 ? Write::overwrite : Write::accumulate, result);
  }
}

/// y += factor * alpha * x.
template <class T>
void axpy(double factor, const DeviceScalar& alpha, const Vector<T>& x, Vector<T>& y) {
  for (std::size_t k = 0; k < x.size(); ++k)
    primitives_for<T>(x[k].device()).axpy(factor, alpha, x[k], y[k]);
}

/// y = x + beta * y.
template <class T>
void xpby(const Vector<T>& x, const DeviceScalar& beta, Vector<T>& y) {
  for (std::size_t k = 0; k < x.size(); ++k)
    primitives_for<T>(x[k].device()).xpby(x[k], beta, y[k]);
}

inline void combine(Combination f, const DeviceScalar& a, const DeviceScalar& b,
                    DeviceScalar& result) {
  primitives_for<double>(a.device()).combine(f, a, b, result);
}

/// Leaves sharing the tensors of w.
template <class T>
std::vector<Variable<T>> leaves(std::span<const Tensor<T>> w) {
  std::vector<Variable<T>> result;
  for (const Tensor<T>& part : w) result.push_back(Variable<T>::leaf(part));
  return result;
}

template <class T>
Vector<T> values(const std::vector<Variable<T>>& v) {
  Vector<T> result;
  for (const Variable<T>& part : v) result.push_back(part.value());
  return result;
}

template <class T>
std::vector<Variable<T>> constants(const Vector<T>& v) {
  return {v.begin(), v.end()};
}

/// The sum over all parts of a_k^T b_k.
template <class T>
Variable<T> inner_sum(const std::vector<Variable<T>>& a, const std::vector<Variable<T>>& b) {
  Variable<T> total = inner(a.front(), b.front());
  for (std::size_t k = 1; k < a.size(); ++k) total = total + inner(a[k], b[k]);
  return total;
}

/// ||r(w)||^2 on the host.
template <class T>
double loss(const ResidualFunction<T>& residuals, std::span<const Tensor<T>> w) {
  const RecordingPaused paused;
  const Vector<T> r = values(residuals(leaves(w)));
  DeviceScalar result(Shape{}, w.front().device());
  dot(r, r, result);
  return result.item();
}

}  // namespace detail
}  // namespace atomtrack
