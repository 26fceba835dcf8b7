// SPDX-License-Identifier: MIT
#include "atomtrack/tracker/target.hpp"

#include <algorithm>
#include <cmath>

namespace atomtrack {
namespace {

// Bounds that only a degenerate track meets; they keep the crop arithmetic finite.
constexpr double smallest_side = 1.0;          // pixels
constexpr double largest_side_in_frames = 16;  // in longer sides of the frame

double area(RowCol size) {
  return size.row * size.col;
}

}  // namespace

Target::Target(const Box& box, const Options& options)
    : position{box.y + (box.height - 1) / 2, box.x + (box.width - 1) / 2},
      size{box.height, box.width},
      scale(options.search_area_scale * std::sqrt(box.width * box.height) / options.crop_size),
      base_size_{box.height / scale, box.width / scale} {}

Box Target::box() const {
  return {position.col - (size.col - 1) / 2, position.row - (size.row - 1) / 2, size.col, size.row};
}

void Target::set(RowCol refined_position, RowCol refined_size) {
  position = refined_position;
  size = refined_size;
  scale = std::sqrt(area(size) / area(base_size_));
}

RowCol Target::steadied(RowCol refined_size, const Options& options) const {
  if (options.size_gain == 1.0 && options.aspect_pull == 0.0) return refined_size;
  const double stretched =
      std::log(refined_size.col / refined_size.row) - std::log(base_size_.col / base_size_.row);
  const double back = options.aspect_pull * stretched / 2;  // half of it to each side
  const auto side = [&](double last, double refined, double change) {
    return last * std::exp(options.size_gain * (std::log(refined / last) + change));
  };
  return {side(size.row, refined_size.row, back), side(size.col, refined_size.col, -back)};
}

void Target::set_scale(RowCol found_position, double found_scale) {
  position = found_position;
  scale = found_scale;
  size = {base_size_.row * scale, base_size_.col * scale};
}

void Target::keep_within(int image_width, int image_height) {
  const double largest_side = largest_side_in_frames * std::max(image_width, image_height);
  const RowCol bounded{std::clamp(size.row, smallest_side, largest_side),
                       std::clamp(size.col, smallest_side, largest_side)};
  if (bounded.row != size.row || bounded.col != size.col) set(position, bounded);
  position.row = std::clamp(position.row, -size.row, image_height + size.row);
  position.col = std::clamp(position.col, -size.col, image_width + size.col);
}

RowCol clamp_position(RowCol position, RowCol size, double inside_ratio, int image_width,
                      int image_height) {
  // A ratio above one half of a target larger than the frame would cross the bounds over: the lower
  // one wins.
  const RowCol margin{(inside_ratio - 0.5) * size.row, (inside_ratio - 0.5) * size.col};
  return {std::max(std::min(position.row, image_height - margin.row), margin.row),
          std::max(std::min(position.col, image_width - margin.col), margin.col)};
}

}  // namespace atomtrack
