// SPDX-License-Identifier: MIT
#include "atomtrack/autodiff/layout.hpp"

#include <array>

namespace atomtrack {
namespace {

Shape origin(const Shape& shape) {
  Shape start = shape;
  for (std::size_t i = 0; i < shape.rank(); ++i)
    start = start.with(static_cast<std::ptrdiff_t>(i), 0);
  return start;
}

}  // namespace

template <class T>
Variable<T> reshape(const Variable<T>& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  return record(
      "reshape", x.value().reshape(shape),
      [from = x.shape()](std::size_t, const Variable<T>& g) { return reshape(g, from); }, x);
}

template <class T>
Variable<T> permute(const Variable<T>& x, std::span<const int> order) {
  require<ShapeError>(order.size() == x.shape().rank(), "permute: an order of ", order.size(),
                      " axes for shape ", x.shape());
  Shape shape;
  for (const int axis : order) shape = shape.append(x.extent(axis));
  Tensor<T> result(shape, x.device());
  primitives_for<T>(x.device()).permute(x.value(), order, result);
  std::array<int, Shape::max_rank> inverse{};
  for (std::size_t i = 0; i < order.size(); ++i) {
    inverse[static_cast<std::size_t>(order[i])] = static_cast<int>(i);
  }
  return record(
      "permute", std::move(result),
      [inverse, rank = order.size()](std::size_t, const Variable<T>& g) {
        return permute(g, std::span<const int>(inverse.data(), rank));
      },
      x);
}

template <class T>
Variable<T> slice(const Variable<T>& x, int axis, std::int64_t start, std::int64_t count) {
  const std::int64_t extent = x.extent(axis);
  require<ShapeError>(start >= 0 && count >= 0 && start + count <= extent, "slice ", start, "..",
                      start + count, " along axis ", axis, " of shape ", x.shape());
  if (count == extent) return x;
  const Shape shape = x.shape().with(axis, count);
  Tensor<T> result(shape, x.device());
  primitives_for<T>(x.device())
      .copy_block(x.value(), origin(shape).with(axis, start), Write::overwrite, result,
                  origin(shape), shape);
  return record(
      "slice", std::move(result),
      [axis, start, after = extent - start - count](std::size_t, const Variable<T>& g) {
        return pad(g, axis, start, after);
      },
      x);
}

template <class T>
Variable<T> pad(const Variable<T>& x, int axis, std::int64_t before, std::int64_t after) {
  require<ShapeError>(before >= 0 && after >= 0, "pad by ", before, " and ", after,
                      ": expected 0 or more");
  if (before == 0 && after == 0) return x;
  const Shape shape = x.shape().with(axis, before + x.extent(axis) + after);
  Tensor<T> result(shape, x.device());
  Primitives<T>& primitives = primitives_for<T>(x.device());
  primitives.fill(T{0}, result);
  primitives.copy_block(x.value(), origin(shape), Write::overwrite, result,
                        origin(shape).with(axis, before), x.shape());
  return record(
      "pad", std::move(result),
      [axis, before, count = x.extent(axis)](std::size_t, const Variable<T>& g) {
        return slice(g, axis, before, count);
      },
      x);
}

template <class T>
Variable<T> concat(std::span<const Variable<T>> parts, int axis) {
  require<ShapeError>(!parts.empty(), "concat of nothing");
  const Shape& first = parts.front().shape();
  const auto position = static_cast<int>(first.position(axis));
  std::vector<std::int64_t> counts;
  std::int64_t total = 0;
  for (const Variable<T>& part : parts) {
    require<ShapeError>(part.shape().rank() == first.rank() &&
                            part.shape().with(position, 0) == first.with(position, 0),
                        "concat along axis ", axis, ": shapes ", first, " and ", part.shape());
    counts.push_back(part.extent(position));
    total += counts.back();
  }
  Tensor<T> result(first.with(position, total), parts.front().device());
  std::int64_t at = 0;
  for (const Variable<T>& part : parts) {
    primitives_for<T>(part.device())
        .copy_block(part.value(), origin(first), Write::overwrite, result,
                    origin(first).with(position, at), part.shape());
    at += part.extent(position);
  }
  return record_all(
      "concat", std::move(result),
      [position, counts](std::size_t input, const Variable<T>& g) {
        std::int64_t start = 0;
        for (std::size_t i = 0; i < input; ++i) start += counts[i];
        return slice(g, position, start, counts[input]);
      },
      parts);
}

template Variable<float> reshape(const Variable<float>&, const Shape&);
template Variable<double> reshape(const Variable<double>&, const Shape&);
template Variable<float> permute(const Variable<float>&, std::span<const int>);
template Variable<double> permute(const Variable<double>&, std::span<const int>);
template Variable<float> concat(std::span<const Variable<float>>, int);
template Variable<double> concat(std::span<const Variable<double>>, int);
template Variable<float> slice(const Variable<float>&, int, std::int64_t, std::int64_t);
template Variable<double> slice(const Variable<double>&, int, std::int64_t, std::int64_t);
template Variable<float> pad(const Variable<float>&, int, std::int64_t, std::int64_t);
template Variable<double> pad(const Variable<double>&, int, std::int64_t, std::int64_t);

}  // namespace atomtrack
