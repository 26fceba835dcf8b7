// SPDX-License-Identifier: MIT
#include "atomtrack/image/crop.hpp"

#include <algorithm>
#include <cmath>

#include "atomtrack/tensor/error.hpp"

namespace atomtrack {
namespace {

constexpr double largest_coordinate = 1e9;  // far beyond any frame, far within 64 bits

/// The remainder with the sign of the divisor, so that position = offset + step * quotient holds
/// for negative positions.
std::int64_t floor_modulo(std::int64_t value, std::int64_t divisor) {
  const std::int64_t remainder = value % divisor;
  return remainder < 0 ? remainder + divisor : remainder;
}

}  // namespace

CropWindow sample_window(double row, double col, double side, int output, int image_height,
                         int image_width) {
  require<InputError>(std::abs(row) < largest_coordinate && std::abs(col) < largest_coordinate &&
                          side > 0.0 && side < largest_coordinate && output > 0,
                      "crop of ", side, " pixels at (", col, ", ", row, ") to ", output,
                      ": expected finite positive sizes");
  std::int64_t y = static_cast<std::int64_t>(std::trunc(row));
  std::int64_t x = static_cast<std::int64_t>(std::trunc(col));
  CropWindow window;
  window.step = std::max<std::int64_t>(1, static_cast<std::int64_t>(side / output - 0.1));
  // Decimating keeps at least one pixel of a frame that is smaller than the step.
  window.step = std::min<std::int64_t>(window.step, std::min(image_height, image_width));
  window.offset_y = floor_modulo(y, window.step);
  window.offset_x = floor_modulo(x, window.step);
  y = (y - window.offset_y) / window.step;
  x = (x - window.offset_x) / window.step;
  // std::nearbyint rounds halves to even, as the released tracker does.
  const std::int64_t size = std::max<std::int64_t>(
      2, static_cast<std::int64_t>(std::nearbyint(side / static_cast<double>(window.step))));
  window.top = y - (size - 1) / 2;
  window.left = x - (size - 1) / 2;
  window.height = size;
  window.width = size;
  return window;
}

}  // namespace atomtrack
