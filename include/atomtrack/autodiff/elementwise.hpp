// SPDX-License-Identifier: MIT
#pragma once

#include "atomtrack/autodiff/variable.hpp"

namespace atomtrack {

// Elementwise operations. Two operands broadcast (aligned at the last axis, extent 1 repeats);
// gradients are summed back. All throw ShapeError when shapes do not fit. Derivatives at a kink are
// those of primitives/scalar/maps.hpp.

template <class T>
Variable<T> add(const Variable<T>& a, const Variable<T>& b);
template <class T>
Variable<T> subtract(const Variable<T>& a, const Variable<T>& b);
template <class T>
Variable<T> multiply(const Variable<T>& a, const Variable<T>& b);
template <class T>
Variable<T> divide(const Variable<T>& a, const Variable<T>& b);

/// factor * x.
template <class T>
Variable<T> scale(const Variable<T>& x, double factor);
/// x + offset.
template <class T>
Variable<T> add_scalar(const Variable<T>& x, double offset);
template <class T>
Variable<T> negate(const Variable<T>& x);

template <class T>
Variable<T> exp(const Variable<T>& x);
template <class T>
Variable<T> log(const Variable<T>& x);
template <class T>
Variable<T> sqrt(const Variable<T>& x);
template <class T>
Variable<T> square(const Variable<T>& x);
template <class T>
Variable<T> abs(const Variable<T>& x);
/// 1 / x.
template <class T>
Variable<T> reciprocal(const Variable<T>& x);
/// 1 / (1 + e^-x).
template <class T>
Variable<T> sigmoid(const Variable<T>& x);
template <class T>
Variable<T> relu(const Variable<T>& x);
/// x for x > 0, slope x otherwise.
template <class T>
Variable<T> leaky_relu(const Variable<T>& x, double slope);
/// x for x > 0, a (e^x - 1) otherwise.
template <class T>
Variable<T> elu(const Variable<T>& x, double a);
/// The paper's phi_2 (section 3.2): x for x >= 0, a (e^{x/a} - 1) otherwise.
template <class T>
Variable<T> pelu(const Variable<T>& x, double a);

template <class T>
Variable<T> operator+(const Variable<T>& a, const Variable<T>& b) {
  return add(a, b);
}
template <class T>
Variable<T> operator-(const Variable<T>& a, const Variable<T>& b) {
  return subtract(a, b);
}
template <class T>
Variable<T> operator*(const Variable<T>& a, const Variable<T>& b) {
  return multiply(a, b);
}
template <class T>
Variable<T> operator/(const Variable<T>& a, const Variable<T>& b) {
  return divide(a, b);
}
template <class T>
Variable<T> operator-(const Variable<T>& x) {
  return negate(x);
}
template <class T>
Variable<T> operator*(double factor, const Variable<T>& x) {
  return scale(x, factor);
}
template <class T>
Variable<T> operator*(const Variable<T>& x, double factor) {
  return scale(x, factor);
}
template <class T>
Variable<T> operator+(const Variable<T>& x, double offset) {
  return add_scalar(x, offset);
}
template <class T>
Variable<T> operator-(const Variable<T>& x, double offset) {
  return add_scalar(x, -offset);
}
template <class T>
Variable<T> operator-(double minuend, const Variable<T>& x) {
  return add_scalar(negate(x), minuend);
}

extern template Variable<float> add(const Variable<float>&, const Variable<float>&);
extern template Variable<double> add(const Variable<double>&, const Variable<double>&);
extern template Variable<float> subtract(const Variable<float>&, const Variable<float>&);
extern template Variable<double> subtract(const Variable<double>&, const Variable<double>&);
extern template Variable<float> multiply(const Variable<float>&, const Variable<float>&);
extern template Variable<double> multiply(const Variable<double>&, const Variable<double>&);
extern template Variable<float> divide(const Variable<float>&, const Variable<float>&);
extern template Variable<double> divide(const Variable<double>&, const Variable<double>&);
extern template Variable<float> scale(const Variable<float>&, double);
extern template Variable<double> scale(const Variable<double>&, double);
extern template Variable<float> add_scalar(const Variable<float>&, double);
extern template Variable<double> add_scalar(const Variable<double>&, double);
extern template Variable<float> negate(const Variable<float>&);
extern template Variable<double> negate(const Variable<double>&);
extern template Variable<float> exp(const Variable<float>&);
extern template Variable<double> exp(const Variable<double>&);
extern template Variable<float> log(const Variable<float>&);
extern template Variable<double> log(const Variable<double>&);
extern template Variable<float> sqrt(const Variable<float>&);
extern template Variable<double> sqrt(const Variable<double>&);
extern template Variable<float> square(const Variable<float>&);
extern template Variable<double> square(const Variable<double>&);
extern template Variable<float> abs(const Variable<float>&);
extern template Variable<double> abs(const Variable<double>&);
extern template Variable<float> reciprocal(const Variable<float>&);
extern template Variable<double> reciprocal(const Variable<double>&);
extern template Variable<float> sigmoid(const Variable<float>&);
extern template Variable<double> sigmoid(const Variable<double>&);
extern template Variable<float> relu(const Variable<float>&);
extern template Variable<double> relu(const Variable<double>&);
extern template Variable<float> leaky_relu(const Variable<float>&, double);
extern template Variable<double> leaky_relu(const Variable<double>&, double);
extern template Variable<float> elu(const Variable<float>&, double);
extern template Variable<double> elu(const Variable<double>&, double);
extern template Variable<float> pelu(const Variable<float>&, double);
extern template Variable<double> pelu(const Variable<double>&, double);

}  // namespace atomtrack
