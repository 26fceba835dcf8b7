// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include "atomtrack/image/image_view.hpp"

namespace atomtrack {

/// The area that two boxes of positive sizes share, as plain rectangles.
inline double intersection_area(const Box& a, const Box& b) {
  const double width = std::min(a.x + a.width, b.x + b.width) - std::max(a.x, b.x);
  const double height = std::min(a.y + a.height, b.y + b.height) - std::max(a.y, b.y);
  return std::max(0.0, width) * std::max(0.0, height);
}

/// Intersection over union of two boxes as plain rectangles, in [0, 1]; 0 where a size is not
/// positive or not a number.
inline double intersection_over_union(const Box& a, const Box& b) {
  if (!(a.width > 0 && a.height > 0 && b.width > 0 && b.height > 0)) return 0.0;
  const double shared = intersection_area(a, b);
  return shared / (a.width * a.height + b.width * b.height - shared);
}

}  // namespace atomtrack
