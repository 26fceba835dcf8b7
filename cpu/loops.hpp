// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>

#include "atomtrack/primitives/strides.hpp"

namespace atomtrack::cpu {

/// Nested loops over a shape, reading two operands at strides of their own: neighbouring axes that
/// both operands cross evenly are merged, so that the innermost loop is as long as it can be.
struct LoopNest {
  struct Axis {
    std::int64_t extent;
    std::int64_t step_a;
    std::int64_t step_b;
  };

  LoopNest(const Shape& shape, const Strides& a, const Strides& b) {
    for (std::size_t i = 0; i < shape.rank(); ++i) {
      const Axis axis{shape.begin()[i], a[i], b[i]};
      if (axis.extent == 1) continue;
      if (rank > 0 && axes[rank - 1].step_a == axis.extent * axis.step_a &&
          axes[rank - 1].step_b == axis.extent * axis.step_b) {
        axes[rank - 1] = {axes[rank - 1].extent * axis.extent, axis.step_a, axis.step_b};
      } else {
        axes[rank++] = axis;
      }
    }
    if (rank == 0) axes[rank++] = {1, 0, 0};
    for (std::size_t i = 0; i + 1 < rank; ++i) rows *= axes[i].extent;
  }

  const Axis& inner() const { return axes[rank - 1]; }

  /// The offsets of both operands at the start of innermost loop number `row`.
  std::array<std::int64_t, 2> at(std::int64_t row) const {
    std::array<std::int64_t, 2> offsets{};
    for (std::size_t i = rank - 1; i-- > 0;) {
      const std::int64_t index = row % axes[i].extent;
      row /= axes[i].extent;
      offsets[0] += index * axes[i].step_a;
      offsets[1] += index * axes[i].step_b;
    }
    return offsets;
  }

  std::array<Axis, Shape::max_rank> axes{};
  std::size_t rank = 0;
  std::int64_t rows = 1;  ///< how often the innermost loop runs
};

}  // namespace atomtrack::cpu
