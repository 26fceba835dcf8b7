// SPDX-License-Identifier: MIT
#pragma once

#include "atomtrack/image/image_view.hpp"
#include "atomtrack/tensor/random.hpp"

namespace atomtrack {

/// Intersection over union of two boxes in continuous coordinates, in [0, 1]; 0 where a size is not
/// positive.
double intersection_over_union(const Box& a, const Box& b);

/// A candidate box around `target` for training (section 3.1): Gaussian noise of a relative size
/// drawn from {0.01, 0.05, 0.1, 0.2, 0.3} on centre and size, rounded to whole pixels, drawn again
/// with less noise until its overlap exceeds `minimum_overlap` (at most 100 times).
Box draw_proposal(const Box& target, double minimum_overlap, RandomSource& random);

}  // namespace atomtrack
