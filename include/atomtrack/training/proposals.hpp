// SPDX-License-Identifier: MIT
#pragma once

#include "atomtrack/image/box_overlap.hpp"
#include "atomtrack/tensor/random.hpp"

namespace atomtrack {

/// A candidate box around `target` for training (section 3.1): Gaussian noise of a relative size
/// drawn from {0.01, 0.05, 0.1, 0.2, 0.3} on centre and size, rounded to whole pixels, drawn again
/// with less noise until its overlap exceeds `minimum_overlap` (at most 100 times).
Box draw_proposal(const Box& target, double minimum_overlap, RandomSource& random);

}  // namespace atomtrack
