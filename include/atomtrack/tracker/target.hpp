// SPDX-License-Identifier: MIT
#pragma once

#include "atomtrack/image/image_view.hpp"
#include "atomtrack/tracker/options.hpp"

namespace atomtrack {

/// A point or a size in (row, column) order, in pixels.
struct RowCol {
  double row = 0.0;
  double col = 0.0;
};

/// Where the target is thought to be and how large: the state that the tracking loop carries from
/// frame to frame.
///
/// Positions follow the released tracker: a box [x, y, w, h] has its centre at (y + (h-1)/2, x +
/// (w-1)/2). `scale` is the number of image pixels per crop pixel: the search region is a square of
/// `scale * crop_size` pixels around the centre.
struct Target {
  Target(const Box& box, const Options& options);

  Box box() const;
  /// The size at `scale` 1: constant, about (crop_size / search_area_scale)^2 in area.
  RowCol base_size() const { return base_size_; }

  /// Takes over a refined box: its centre, its size, and the scale at which its area is that of
  /// `base_size`.
  void set(RowCol refined_position, RowCol refined_size);
  /// What becomes of a refined size: a share `size_gain` of its change since the last frame, and
  /// the aspect ratio drawn towards the first frame's by `aspect_pull`, both in logarithms. With 1
  /// and 0 the refined size itself.
  RowCol steadied(RowCol refined_size, const Options& options) const;
  /// Takes over a position and a scale (multi-scale search): the size follows.
  void set_scale(RowCol found_position, double found_scale);
  /// Keeps the centre near the frame and the size within what a frame of this size can show.
  void keep_within(int image_width, int image_height);

  RowCol position;  ///< centre
  RowCol size;
  double scale = 1.0;

 private:
  RowCol base_size_;
};

/// `position` moved to where at least `inside_ratio` of the target's `size` is inside the frame
/// along each axis.
RowCol clamp_position(RowCol position, RowCol size, double inside_ratio, int image_width,
                      int image_height);

}  // namespace atomtrack
