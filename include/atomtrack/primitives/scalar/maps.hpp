// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>

#include "atomtrack/primitives/host_device.hpp"

namespace atomtrack {

enum class MapKind {
  scale,   ///< a x
  offset,  ///< x + a
  exp,
  log,
  sqrt,
  square,
  reciprocal,
  sigmoid,
  abs,
  relu,
  leaky_relu,  ///< x for x > 0, a x otherwise
  elu,         ///< x for x > 0, a (e^x - 1) otherwise
  pelu,  ///< the paper's phi_2 (section 3.2): x for x >= 0, a (e^{x/a} - 1) otherwise; smooth for
         ///< every a > 0
};

/// A scalar function with its parameter a. `order` > 0 asks for that derivative instead; the kinds
/// up to `sigmoid` differentiate in terms of each other and have order 0 only, the piecewise kinds
/// have every order.
struct Map {
  MapKind kind;
  double a = 0.0;
  int order = 0;
};

enum class Combination {
  add,
  subtract,
  multiply,
  divide,
  divide_or_zero,  ///< a / b, and 0 where b is 0: a Conjugate Gradient that has converged takes
                   ///< steps of length zero
  maximum,
};

namespace scalar {

// The derivative at a kink is the one from below (0 for relu, a for leaky_relu and elu), and
// sign(0) = 0 for abs: what the usual frameworks take.

template <class T>
ATOMTRACK_HOST_DEVICE T leaky_relu(T x, T a, int order) {
  if (order == 0) return x > T(0) ? x : a * x;
  if (order == 1) return x > T(0) ? T(1) : a;
  return T(0);
}

template <class T>
ATOMTRACK_HOST_DEVICE T elu(T x, T a, int order) {
  using std::exp;
  using std::expm1;
  if (x > T(0)) return order == 0 ? x : (order == 1 ? T(1) : T(0));
  return order == 0 ? a * expm1(x) : a * exp(x);
}

template <class T>
ATOMTRACK_HOST_DEVICE T pelu(T x, T a, int order) {
  using std::exp;
  using std::expm1;
  if (x >= T(0)) return order == 0 ? x : (order == 1 ? T(1) : T(0));
  if (order == 0) return a * expm1(x / a);
  T derivative = exp(x / a);
  for (int i = 1; i < order; ++i) derivative /= a;
  return derivative;
}

template <class T>
ATOMTRACK_HOST_DEVICE T sign(T x) {
  return x > T(0) ? T(1) : (x < T(0) ? T(-1) : T(0));
}

/// f(x). Slow where it is called per element with a varying kind: loops pick the kind outside.
template <class T>
ATOMTRACK_HOST_DEVICE T apply(const Map& f, T x) {
  using std::abs;
  using std::exp;
  using std::log;
  using std::sqrt;
  const T a = static_cast<T>(f.a);
  switch (f.kind) {
    case MapKind::scale:
      return a * x;
    case MapKind::offset:
      return x + a;
    case MapKind::exp:
      return exp(x);
    case MapKind::log:
      return log(x);
    case MapKind::sqrt:
      return sqrt(x);
    case MapKind::square:
      return x * x;
    case MapKind::reciprocal:
      return T(1) / x;
    case MapKind::sigmoid:
      return T(1) / (T(1) + exp(-x));
    case MapKind::abs:
      return f.order == 0 ? abs(x) : (f.order == 1 ? sign(x) : T(0));
    case MapKind::relu:
      return f.order == 0 ? (x < T(0) ? T(0) : x) : leaky_relu(x, T(0), f.order);
    case MapKind::leaky_relu:
      return leaky_relu(x, a, f.order);
    case MapKind::elu:
      return elu(x, a, f.order);
    case MapKind::pelu:
      return pelu(x, a, f.order);
  }
  return x;
}

template <class T>
ATOMTRACK_HOST_DEVICE T combine(Combination f, T a, T b) {
  switch (f) {
    case Combination::add:
      return a + b;
    case Combination::subtract:
      return a - b;
    case Combination::multiply:
      return a * b;
    case Combination::divide:
      return a / b;
    case Combination::divide_or_zero:
      return b == T(0) ? T(0) : a / b;
    case Combination::maximum:
      return a > b ? a : b;
  }
  return a;
}

}  // namespace scalar
}  // namespace atomtrack
