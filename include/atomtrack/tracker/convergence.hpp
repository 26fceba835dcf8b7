// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "atomtrack/image/image_view.hpp"
#include "atomtrack/tracker/model.hpp"
#include "atomtrack/tracker/options.hpp"

namespace atomtrack {

/// The classifier's loss (equation 3) after some number of BackProp calls.
struct LossPoint {
  int backprop_calls = 0;
  double loss = 0.0;
};

/// How fast the first frame's problem is solved, from the same start (figure S3): `algorithm1`
/// after every Conjugate Gradient iteration, `gradient_descent` after every step of GD with the
/// options' rate and momentum, `gradient_descent_factor` times the budget.
struct ConvergenceTrace {
  std::vector<LossPoint> algorithm1, gradient_descent;
};

/// Solves the problem that a tracker with these options would solve for `box` in `image`, both
/// ways. Throws as Tracker::init does. Thread-safe.
ConvergenceTrace first_frame_convergence(const Model& model, const Options& options,
                                         const ImageView& image, const Box& box);

}  // namespace atomtrack
