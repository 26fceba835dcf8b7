// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <ostream>

#include "atomtrack/tensor/error.hpp"

namespace atomtrack {

/// The extents of a dense row-major tensor, outermost first; images are [N,C,H,W].
/// At most `max_rank` axes, held in place, so that making a shape never allocates, and at most
/// `max_elements` elements, so that a size in bytes never overflows. A rank of 0 is a scalar (one
/// element).
class Shape {
 public:
  static constexpr std::size_t max_rank = 6;
  static constexpr std::int64_t max_elements = std::int64_t{1} << 58;

  Shape() = default;
  /// Throws ShapeError for a negative extent, too many axes or too many elements, as do the
  /// functions that make one shape from another.
  Shape(std::initializer_list<std::int64_t> extents);

  std::size_t rank() const { return rank_; }
  /// The extent of `axis`; a negative axis counts from the last. Throws ShapeError when there is no
  /// such axis.
  std::int64_t operator[](std::ptrdiff_t axis) const { return extents_[position(axis)]; }
  /// The number of elements: 1 for a scalar, 0 when any extent is 0.
  std::int64_t numel() const;
  const std::int64_t* begin() const { return extents_.data(); }
  const std::int64_t* end() const { return extents_.data() + rank_; }

  /// The same shape with `axis` replaced, appended (`axis == rank()`), or dropped.
  Shape with(std::ptrdiff_t axis, std::int64_t extent) const;
  Shape append(std::int64_t extent) const;
  Shape drop(std::ptrdiff_t axis) const;
  /// The index of `axis` in 0..rank()-1, after resolving a negative one. Throws ShapeError.
  std::size_t position(std::ptrdiff_t axis) const;

  friend bool operator==(const Shape& a, const Shape& b);
  friend std::ostream& operator<<(std::ostream& out, const Shape& shape);  ///< "[1,3,288,288]"

 private:
  std::array<std::int64_t, max_rank> extents_{};
  std::size_t rank_ = 0;
};

/// The shape that `a` and `b` broadcast to: axes are aligned at the last one, and an extent of 1
/// (or a missing axis) repeats. Throws ShapeError naming both shapes when an axis differs and
/// neither is 1.
Shape broadcast_shape(const Shape& a, const Shape& b);

}  // namespace atomtrack
