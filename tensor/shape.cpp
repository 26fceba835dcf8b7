// SPDX-License-Identifier: MIT
#include "atomtrack/tensor/shape.hpp"

#include <algorithm>

namespace atomtrack {

Shape::Shape(std::initializer_list<std::int64_t> extents) {
  for (const std::int64_t extent : extents) *this = append(extent);
}

std::int64_t Shape::numel() const {
  std::int64_t count = 1;
  for (const std::int64_t extent : *this) count *= extent;
  return count;
}

std::size_t Shape::position(std::ptrdiff_t axis) const {
  const std::ptrdiff_t rank = static_cast<std::ptrdiff_t>(rank_);
  const std::ptrdiff_t resolved = axis < 0 ? axis + rank : axis;
  require<ShapeError>(resolved >= 0 && resolved < rank, "axis ", axis, " of a tensor of shape ",
                      *this, ": expected -", rank, "..", rank - 1);
  return static_cast<std::size_t>(resolved);
}

Shape Shape::with(std::ptrdiff_t axis, std::int64_t extent) const {
  require<ShapeError>(extent >= 0, "an extent of ", extent, ": expected 0 or more");
  Shape result = *this;
  result.extents_[position(axis)] = extent;
  std::int64_t elements = 1;
  for (const std::int64_t each : result) {
    if (each == 0) continue;
    require<ShapeError>(each <= max_elements / elements, "a shape of ", result,
                        ": expected at most ", max_elements, " elements");
    elements *= each;
  }
  return result;
}

Shape Shape::append(std::int64_t extent) const {
  require<ShapeError>(rank_ < max_rank, "a shape of more than ", max_rank, " axes");
  Shape result = *this;
  ++result.rank_;
  return result.with(-1, extent);
}

Shape Shape::drop(std::ptrdiff_t axis) const {
  const std::size_t dropped = position(axis);
  Shape result;
  for (std::size_t i = 0; i < rank_; ++i) {
    if (i != dropped) result = result.append(extents_[i]);
  }
  return result;
}

bool operator==(const Shape& a, const Shape& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

std::ostream& operator<<(std::ostream& out, const Shape& shape) {
  out << '[';
  for (std::size_t i = 0; i < shape.rank_; ++i) out << (i == 0 ? "" : ",") << shape.extents_[i];
  return out << ']';
}

Shape broadcast_shape(const Shape& a, const Shape& b) {
  const std::size_t rank = std::max(a.rank(), b.rank());
  Shape result;
  for (std::size_t i = 0; i < rank; ++i) {
    const std::size_t from_end = rank - i;
    const std::int64_t in_a = from_end <= a.rank() ? a.begin()[a.rank() - from_end] : 1;
    const std::int64_t in_b = from_end <= b.rank() ? b.begin()[b.rank() - from_end] : 1;
    require<ShapeError>(in_a == in_b || in_a == 1 || in_b == 1, "shapes ", a, " and ", b,
                        " do not broadcast: axis ", i, " is ", in_a, " in one and ", in_b,
                        " in the other");
    result = result.append(in_a == 1 ? in_b : in_a);
  }
  return result;
}

}  // namespace atomtrack
