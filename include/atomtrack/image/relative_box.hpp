// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cmath>

namespace atomtrack {

// The coordinates (c_x / w, c_y / h, log w, log h) in which the paper maximises the overlap
// (section 3.1): a step of some length means about the same for small and large boxes. The w and h
// under the centre are those of one fixed box, the unit. Computed in the precision of T throughout.

/// Of a box (x, y, width, height) of positive size, in pixels.
template <class T>
std::array<T, 4> to_relative(const std::array<T, 4>& box, T unit_width, T unit_height) {
  const auto& [x, y, width, height] = box;
  return {(x + width / 2) / unit_width, (y + height / 2) / unit_height, std::log(width),
          std::log(height)};
}

/// The inverse.
template <class T>
std::array<T, 4> from_relative(const std::array<T, 4>& relative, T unit_width, T unit_height) {
  const T width = std::exp(relative[2]), height = std::exp(relative[3]);
  return {relative[0] * unit_width - width / 2, relative[1] * unit_height - height / 2, width,
          height};
}

}  // namespace atomtrack
