// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>

#include "atomtrack/primitives/host_device.hpp"
#include "atomtrack/primitives/strides.hpp"

namespace atomtrack::cuda {

/// The positions of a shape in row-major order and where each lies in several tensors, with as few
/// axes as possible: axes of extent 1 are dropped and axes that all tensors step through alike are
/// joined, so that a kernel divides seldom. Passed to kernels by value.
template <int Tensors>
struct StridedLoop {
  static constexpr int most = static_cast<int>(Shape::max_rank);
  int rank = 0;
  std::int64_t extent[most] = {};
  std::int64_t stride[Tensors][most] = {};

  /// The flat positions in the tensors of position `index` of the loop.
  ATOMTRACK_HOST_DEVICE void offsets(std::int64_t index, std::int64_t (&result)[Tensors]) const {
    for (int t = 0; t < Tensors; ++t) result[t] = 0;
    for (int axis = rank - 1; axis > 0; --axis) {
      const std::int64_t rest = quotient(index, extent[axis]);
      const std::int64_t at = index - rest * extent[axis];
      index = rest;
      for (int t = 0; t < Tensors; ++t) result[t] += at * stride[t][axis];
    }
    if (rank > 0) {
      for (int t = 0; t < Tensors; ++t) result[t] += index * stride[t][0];
    }
  }

  std::int64_t count() const {
    std::int64_t product = 1;
    for (int axis = 0; axis < rank; ++axis) product *= extent[axis];
    return product;
  }

  /// Appends an inner axis.
  void append(std::int64_t size, const std::array<std::int64_t, Tensors>& steps) {
    if (size == 1) return;
    bool joins = rank > 0;
    for (int t = 0; joins && t < Tensors; ++t)
      joins = stride[t][rank - 1] == steps[static_cast<std::size_t>(t)] * size;
    if (joins) {
      extent[rank - 1] *= size;
    } else {
      extent[rank++] = size;
    }
    for (int t = 0; t < Tensors; ++t) stride[t][rank - 1] = steps[static_cast<std::size_t>(t)];
  }

 private:
  // A GPU divides 32 bits several times as fast as 64.
  ATOMTRACK_HOST_DEVICE static std::int64_t quotient(std::int64_t a, std::int64_t b) {
    constexpr std::int64_t narrow = 0xFFFFFFFF;
    if (a <= narrow && b <= narrow)
      return static_cast<std::uint32_t>(a) / static_cast<std::uint32_t>(b);
    return a / b;
  }
};

/// The loop over `shape` with the given strides.
template <std::size_t Tensors>
StridedLoop<static_cast<int>(Tensors)> strided_loop(const Shape& shape,
                                                    const std::array<Strides, Tensors>& strides) {
  StridedLoop<static_cast<int>(Tensors)> loop;
  for (std::size_t axis = 0; axis < shape.rank(); ++axis) {
    std::array<std::int64_t, Tensors> steps{};
    for (std::size_t t = 0; t < Tensors; ++t) steps[t] = strides[t][axis];
    loop.append(shape.begin()[axis], steps);
  }
  return loop;
}

}  // namespace atomtrack::cuda
