// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "atomtrack/image/image_view.hpp"
#include "atomtrack/layers/iou_predictor.hpp"
#include "atomtrack/tensor/random.hpp"
#include "atomtrack/tracker/options.hpp"

namespace atomtrack {

/// Crops in which the target's box is known.
struct KnownBoxes {
  IouFeatures<float> features;  ///< of the N crops
  std::vector<Box> boxes;       ///< one per crop, crop pixels
};

/// Fits the modulation vectors of one target to what is known: minimises the mean of (predicted -
/// (2 IoU - 1))^2 over candidates around the known boxes, plus `adaptation_regularization` times
/// the mean squared change of the vectors in units of their size, by Algorithm 1. The candidates
/// are drawn anew for each Gauss-Newton step, and half of them climb the prediction first: those
/// are the boxes that the ascent would lead to. Draws from `random`. Architectures without
/// modulation are left as they are.
Modulation<float> adapted(const IouPredictor<float>& predictor, const Modulation<float>& modulation,
                          const KnownBoxes& known, const Options& options, RandomSource& random);

}  // namespace atomtrack
