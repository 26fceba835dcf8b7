// SPDX-License-Identifier: MIT
#include "atomtrack/autodiff/elementwise.hpp"

#include "atomtrack/autodiff/reductions.hpp"

namespace atomtrack {
namespace {

template <class T>
Tensor<T> combined(Combination f, const Variable<T>& a, const Variable<T>& b) {
  Tensor<T> result(broadcast_shape(a.shape(), b.shape()), a.device());
  primitives_for<T>(a.device()).combine(f, a.value(), b.value(), result);
  return result;
}

template <class T>
Tensor<T> mapped(const Map& f, const Variable<T>& x) {
  Tensor<T> result(x.shape(), x.device());
  primitives_for<T>(x.device()).map(f, x.value(), result);
  return result;
}

/// A piecewise function: its derivative is itself with `order` raised.
template <class T>
Variable<T> piecewise(const char* name, const Variable<T>& x, Map f) {
  return record(
      name, mapped(f, x),
      [x, name, f](std::size_t, const Variable<T>& g) {
        return multiply(g, piecewise(name, x, Map{f.kind, f.a, f.order + 1}));
      },
      x);
}

}  // namespace

template <class T>
Variable<T> add(const Variable<T>& a, const Variable<T>& b) {
  return record(
      "add", combined(Combination::add, a, b),
      [shape_a = a.shape(), shape_b = b.shape()](std::size_t input, const Variable<T>& g) {
        return sum_to(g, input == 0 ? shape_a : shape_b);
      },
      a, b);
}

template <class T>
Variable<T> subtract(const Variable<T>& a, const Variable<T>& b) {
  return record(
      "subtract", combined(Combination::subtract, a, b),
      [shape_a = a.shape(), shape_b = b.shape()](std::size_t input, const Variable<T>& g) {
        return input == 0 ? sum_to(g, shape_a) : sum_to(negate(g), shape_b);
      },
      a, b);
}

template <class T>
Variable<T> multiply(const Variable<T>& a, const Variable<T>& b) {
  return record(
      "multiply", combined(Combination::multiply, a, b),
      [a, b](std::size_t input, const Variable<T>& g) {
        return input == 0 ? sum_to(multiply(g, b), a.shape()) : sum_to(multiply(g, a), b.shape());
      },
      a, b);
}

template <class T>
Variable<T> divide(const Variable<T>& a, const Variable<T>& b) {
  return record(
      "divide", combined(Combination::divide, a, b),
      [a, b](std::size_t input, const Variable<T>& g) {
        if (input == 0) return sum_to(divide(g, b), a.shape());
        return sum_to(negate(divide(multiply(g, a), square(b))), b.shape());
      },
      a, b);
}

template <class T>
Variable<T> scale(const Variable<T>& x, double factor) {
  return record(
      "scale", mapped({MapKind::scale, factor}, x),
      [factor](std::size_t, const Variable<T>& g) { return scale(g, factor); }, x);
}

template <class T>
Variable<T> add_scalar(const Variable<T>& x, double offset) {
  return record(
      "add_scalar", mapped({MapKind::offset, offset}, x),
      [](std::size_t, const Variable<T>& g) { return g; }, x);
}

template <class T>
Variable<T> negate(const Variable<T>& x) {
  return scale(x, -1.0);
}

template <class T>
Variable<T> exp(const Variable<T>& x) {
  return record(
      "exp", mapped({MapKind::exp}, x),
      [x](std::size_t, const Variable<T>& g) { return multiply(g, exp(x)); }, x);
}

template <class T>
Variable<T> log(const Variable<T>& x) {
  return record(
      "log", mapped({MapKind::log}, x),
      [x](std::size_t, const Variable<T>& g) { return divide(g, x); }, x);
}

template <class T>
Variable<T> sqrt(const Variable<T>& x) {
  return record(
      "sqrt", mapped({MapKind::sqrt}, x),
      [x](std::size_t, const Variable<T>& g) { return scale(divide(g, sqrt(x)), 0.5); }, x);
}

template <class T>
Variable<T> square(const Variable<T>& x) {
  return record(
      "square", mapped({MapKind::square}, x),
      [x](std::size_t, const Variable<T>& g) { return scale(multiply(g, x), 2.0); }, x);
}

template <class T>
Variable<T> reciprocal(const Variable<T>& x) {
  return record(
      "reciprocal", mapped({MapKind::reciprocal}, x),
      [x](std::size_t, const Variable<T>& g) { return negate(divide(g, square(x))); }, x);
}

template <class T>
Variable<T> sigmoid(const Variable<T>& x) {
  return record(
      "sigmoid", mapped({MapKind::sigmoid}, x),
      [x](std::size_t, const Variable<T>& g) {
        const Variable<T> y = sigmoid(x);
        return multiply(g, subtract(y, square(y)));
      },
      x);
}

template <class T>
Variable<T> abs(const Variable<T>& x) {
  return piecewise("abs", x, {MapKind::abs});
}
template <class T>
Variable<T> relu(const Variable<T>& x) {
  return piecewise("relu", x, {MapKind::relu});
}
template <class T>
Variable<T> leaky_relu(const Variable<T>& x, double slope) {
  return piecewise("leaky_relu", x, {MapKind::leaky_relu, slope});
}
template <class T>
Variable<T> elu(const Variable<T>& x, double a) {
  return piecewise("elu", x, {MapKind::elu, a});
}
template <class T>
Variable<T> pelu(const Variable<T>& x, double a) {
  return piecewise("pelu", x, {MapKind::pelu, a});
}

template Variable<float> add(const Variable<float>&, const Variable<float>&);
template Variable<double> add(const Variable<double>&, const Variable<double>&);
template Variable<float> subtract(const Variable<float>&, const Variable<float>&);
template Variable<double> subtract(const Variable<double>&, const Variable<double>&);
template Variable<float> multiply(const Variable<float>&, const Variable<float>&);
template Variable<double> multiply(const Variable<double>&, const Variable<double>&);
template Variable<float> divide(const Variable<float>&, const Variable<float>&);
template Variable<double> divide(const Variable<double>&, const Variable<double>&);
template Variable<float> scale(const Variable<float>&, double);
template Variable<double> scale(const Variable<double>&, double);
template Variable<float> add_scalar(const Variable<float>&, double);
template Variable<double> add_scalar(const Variable<double>&, double);
template Variable<float> negate(const Variable<float>&);
template Variable<double> negate(const Variable<double>&);
template Variable<float> exp(const Variable<float>&);
template Variable<double> exp(const Variable<double>&);
template Variable<float> log(const Variable<float>&);
template Variable<double> log(const Variable<double>&);
template Variable<float> sqrt(const Variable<float>&);
template Variable<double> sqrt(const Variable<double>&);
template Variable<float> square(const Variable<float>&);
template Variable<double> square(const Variable<double>&);
template Variable<float> abs(const Variable<float>&);
template Variable<double> abs(const Variable<double>&);
template Variable<float> reciprocal(const Variable<float>&);
template Variable<double> reciprocal(const Variable<double>&);
template Variable<float> sigmoid(const Variable<float>&);
template Variable<double> sigmoid(const Variable<double>&);
template Variable<float> relu(const Variable<float>&);
template Variable<double> relu(const Variable<double>&);
template Variable<float> leaky_relu(const Variable<float>&, double);
template Variable<double> leaky_relu(const Variable<double>&, double);
template Variable<float> elu(const Variable<float>&, double);
template Variable<double> elu(const Variable<double>&, double);
template Variable<float> pelu(const Variable<float>&, double);
template Variable<double> pelu(const Variable<double>&, double);

}  // namespace atomtrack
