// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>

#include "atomtrack/tensor/shape.hpp"

namespace atomtrack {

/// Steps through a tensor per axis, in elements.
using Strides = std::array<std::int64_t, Shape::max_rank>;

/// The strides of a dense row-major tensor.
inline Strides dense_strides(const Shape& shape) {
  Strides strides{};
  std::int64_t step = 1;
  for (std::size_t i = shape.rank(); i-- > 0;) {
    strides[i] = step;
    step *= shape.begin()[i];
  }
  return strides;
}

/// The strides that read a tensor of shape `from` as if it had shape `to`, to which it broadcasts:
/// 0 along repeated axes.
inline Strides broadcast_strides(const Shape& from, const Shape& to) {
  const Strides dense = dense_strides(from);
  Strides strides{};
  const std::size_t missing = to.rank() - from.rank();
  for (std::size_t i = 0; i < from.rank(); ++i) {
    strides[missing + i] = from.begin()[i] == 1 ? 0 : dense[i];
  }
  return strides;
}

/// Counts through the positions of a shape in row-major order, keeping offsets into several tensors
/// along.
template <std::size_t Tensors>
class Odometer {
 public:
  Odometer(const Shape& shape, const std::array<Strides, Tensors>& strides)
      : shape_(shape), strides_(strides) {}

  std::int64_t offset(std::size_t tensor) const { return offsets_[tensor]; }

  /// Moves on to the next position; after the last it starts again.
  void advance() {
    for (std::size_t axis = shape_.rank(); axis-- > 0;) {
      for (std::size_t t = 0; t < Tensors; ++t) offsets_[t] += strides_[t][axis];
      if (++index_[axis] < shape_.begin()[axis]) return;
      for (std::size_t t = 0; t < Tensors; ++t) offsets_[t] -= strides_[t][axis] * index_[axis];
      index_[axis] = 0;
    }
  }

 private:
  Shape shape_;
  std::array<Strides, Tensors> strides_;
  std::array<std::int64_t, Tensors> offsets_{};
  std::array<std::int64_t, Shape::max_rank> index_{};
};

}  // namespace atomtrack
