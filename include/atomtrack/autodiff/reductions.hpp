// SPDX-License-Identifier: MIT
#pragma once

#include <initializer_list>
#include <span>

#include "atomtrack/autodiff/variable.hpp"

namespace atomtrack {

/// The sum of all elements, of shape [].
template <class T>
Variable<T> sum(const Variable<T>& x);
/// The sum over `axes` (negative ones count from the last), which are dropped, or kept with
/// extent 1.
template <class T>
Variable<T> sum(const Variable<T>& x, std::span<const int> axes, bool keep_axes = false);
template <class T>
Variable<T> sum(const Variable<T>& x, std::initializer_list<int> axes, bool keep_axes = false) {
  return sum(x, std::span<const int>(axes.begin(), axes.size()), keep_axes);
}
/// The mean of all elements, of shape [].
template <class T>
Variable<T> mean(const Variable<T>& x);
template <class T>
Variable<T> mean(const Variable<T>& x, std::span<const int> axes, bool keep_axes = false);
template <class T>
Variable<T> mean(const Variable<T>& x, std::initializer_list<int> axes, bool keep_axes = false) {
  return mean(x, std::span<const int>(axes.begin(), axes.size()), keep_axes);
}

/// x summed to `shape`, which broadcasts to x's shape: the adjoint of `broadcast_to`.
template <class T>
Variable<T> sum_to(const Variable<T>& x, const Shape& shape);
/// x repeated to `shape`.
template <class T>
Variable<T> broadcast_to(const Variable<T>& x, const Shape& shape);

/// a^T b over all elements, of shape []; a and b have one shape.
template <class T>
Variable<T> inner(const Variable<T>& a, const Variable<T>& b);

extern template Variable<float> sum(const Variable<float>&);
extern template Variable<double> sum(const Variable<double>&);
extern template Variable<float> sum(const Variable<float>&, std::span<const int>, bool);
extern template Variable<double> sum(const Variable<double>&, std::span<const int>, bool);
extern template Variable<float> mean(const Variable<float>&);
extern template Variable<double> mean(const Variable<double>&);
extern template Variable<float> mean(const Variable<float>&, std::span<const int>, bool);
extern template Variable<double> mean(const Variable<double>&, std::span<const int>, bool);
extern template Variable<float> sum_to(const Variable<float>&, const Shape&);
extern template Variable<double> sum_to(const Variable<double>&, const Shape&);
extern template Variable<float> broadcast_to(const Variable<float>&, const Shape&);
extern template Variable<double> broadcast_to(const Variable<double>&, const Shape&);
extern template Variable<float> inner(const Variable<float>&, const Variable<float>&);
extern template Variable<double> inner(const Variable<double>&, const Variable<double>&);

}  // namespace atomtrack
