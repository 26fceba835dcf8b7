// SPDX-License-Identifier: MIT
#include "atomtrack/autodiff/reductions.hpp"

#include "atomtrack/autodiff/elementwise.hpp"
#include "atomtrack/autodiff/layout.hpp"

namespace atomtrack {
namespace {

/// `shape` with each of `axes` reduced to 1, and without them.
Shape kept(const Shape& shape, std::span<const int> axes) {
  Shape result = shape;
  for (const int axis : axes) result = result.with(axis, 1);
  return result;
}

Shape dropped(const Shape& shape, std::span<const int> axes) {
  Shape result;
  for (std::size_t i = 0; i < shape.rank(); ++i) {
    bool drop = false;
    for (const int axis : axes) drop = drop || shape.position(axis) == i;
    if (!drop) result = result.append(shape.begin()[i]);
  }
  return result;
}

}  // namespace

template <class T>
Variable<T> sum_to(const Variable<T>& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  Tensor<T> result(shape, x.device());
  primitives_for<T>(x.device()).reduce_sum(x.value(), Write::overwrite, result);
  return record(
      "sum_to", std::move(result),
      [from = x.shape()](std::size_t, const Variable<T>& g) { return broadcast_to(g, from); }, x);
}

template <class T>
Variable<T> broadcast_to(const Variable<T>& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  Tensor<T> result(shape, x.device());
  Primitives<T>& primitives = primitives_for<T>(x.device());
  primitives.fill(T{0}, result);
  primitives.combine(Combination::add, result, x.value(), result);
  return record(
      "broadcast_to", std::move(result),
      [from = x.shape()](std::size_t, const Variable<T>& g) { return sum_to(g, from); }, x);
}

template <class T>
Variable<T> sum(const Variable<T>& x) {
  return sum_to(x, Shape{});
}

template <class T>
Variable<T> sum(const Variable<T>& x, std::span<const int> axes, bool keep_axes) {
  const Variable<T> result = sum_to(x, kept(x.shape(), axes));
  return keep_axes ? result : reshape(result, dropped(x.shape(), axes));
}

template <class T>
Variable<T> mean(const Variable<T>& x) {
  require<ShapeError>(x.shape().numel() > 0, "mean of nothing: shape ", x.shape());
  return scale(sum(x), 1.0 / static_cast<double>(x.shape().numel()));
}

template <class T>
Variable<T> mean(const Variable<T>& x, std::span<const int> axes, bool keep_axes) {
  const std::int64_t left = kept(x.shape(), axes).numel();
  require<ShapeError>(x.shape().numel() > 0, "mean of nothing: shape ", x.shape());
  return scale(sum(x, axes, keep_axes),
               static_cast<double>(left) / static_cast<double>(x.shape().numel()));
}

template <class T>
Variable<T> inner(const Variable<T>& a, const Variable<T>& b) {
  require<ShapeError>(a.shape() == b.shape(), "inner: shapes ", a.shape(), " and ", b.shape(),
                      ": expected one shape");
  Tensor<double> exact(Shape{}, a.device());
  primitives_for<T>(a.device()).dot(a.value(), b.value(), Write::overwrite, exact);
  Tensor<T> value;
  if constexpr (std::is_same_v<T, double>) {
    value = exact;
  } else {
    // 1 * exact, rounded once, without a visit to the host.
    value = Tensor<T>(Shape{}, a.device());
    primitives_for<T>(a.device()).fill(T{0}, value);
    primitives_for<T>(a.device()).axpy(1.0, exact, Tensor<T>::scalar(T{1}, a.device()), value);
  }
  return record(
      "inner", std::move(value),
      [a, b](std::size_t input, const Variable<T>& g) { return multiply(g, input == 0 ? b : a); },
      a, b);
}

template Variable<float> sum(const Variable<float>&);
template Variable<double> sum(const Variable<double>&);
template Variable<float> sum(const Variable<float>&, std::span<const int>, bool);
template Variable<double> sum(const Variable<double>&, std::span<const int>, bool);
template Variable<float> mean(const Variable<float>&);
template Variable<double> mean(const Variable<double>&);
template Variable<float> mean(const Variable<float>&, std::span<const int>, bool);
template Variable<double> mean(const Variable<double>&, std::span<const int>, bool);
template Variable<float> sum_to(const Variable<float>&, const Shape&);
template Variable<double> sum_to(const Variable<double>&, const Shape&);
template Variable<float> broadcast_to(const Variable<float>&, const Shape&);
template Variable<double> broadcast_to(const Variable<double>&, const Shape&);
template Variable<float> inner(const Variable<float>&, const Variable<float>&);
template Variable<double> inner(const Variable<double>&, const Variable<double>&);

}  // namespace atomtrack
