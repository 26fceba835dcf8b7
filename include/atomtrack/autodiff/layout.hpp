// SPDX-License-Identifier: MIT
#pragma once

#include <initializer_list>
#include <span>
#include <vector>

#include "atomtrack/autodiff/variable.hpp"

namespace atomtrack {

/// The same elements under another shape.
template <class T>
Variable<T> reshape(const Variable<T>& x, const Shape& shape);
/// Axis i of the result is axis order[i] of x.
template <class T>
Variable<T> permute(const Variable<T>& x, std::span<const int> order);
template <class T>
Variable<T> permute(const Variable<T>& x, std::initializer_list<int> order) {
  return permute(x, std::span<const int>(order.begin(), order.size()));
}
/// The parts one after another along `axis`; their other axes agree.
template <class T>
Variable<T> concat(std::span<const Variable<T>> parts, int axis);
template <class T>
Variable<T> concat(std::initializer_list<Variable<T>> parts, int axis) {
  return concat(std::span<const Variable<T>>(parts.begin(), parts.size()), axis);
}
/// Entries start .. start + count - 1 along `axis`.
template <class T>
Variable<T> slice(const Variable<T>& x, int axis, std::int64_t start, std::int64_t count);
/// x with `before` and `after` zeros added along `axis`.
template <class T>
Variable<T> pad(const Variable<T>& x, int axis, std::int64_t before, std::int64_t after);

extern template Variable<float> reshape(const Variable<float>&, const Shape&);
extern template Variable<double> reshape(const Variable<double>&, const Shape&);
extern template Variable<float> permute(const Variable<float>&, std::span<const int>);
extern template Variable<double> permute(const Variable<double>&, std::span<const int>);
extern template Variable<float> concat(std::span<const Variable<float>>, int);
extern template Variable<double> concat(std::span<const Variable<double>>, int);
extern template Variable<float> slice(const Variable<float>&, int, std::int64_t, std::int64_t);
extern template Variable<double> slice(const Variable<double>&, int, std::int64_t, std::int64_t);
extern template Variable<float> pad(const Variable<float>&, int, std::int64_t, std::int64_t);
extern template Variable<double> pad(const Variable<double>&, int, std::int64_t, std::int64_t);

}  // namespace atomtrack
