// SPDX-License-Identifier: MIT
#pragma once

#include "atomtrack/training/network.hpp"

namespace atomtrack {

/// Which candidates climb, and how far.
struct AscentOptions {
  int count = 0;  ///< of each target's candidates, the last ones
  int steps = 5;  ///< of length 1, as the released tracker takes
  bool full =
      false;  ///< all of the steps; else candidate k of the climbers takes 1 + k mod `steps`
  double minimum_overlap = 0.1;  ///< of a climber with its target, else it stays where it was
};

/// Lets the last candidates of every target climb the predicted overlap, as a tracker that refines
/// a box does (section 3.3): B += (w, h, w, h) dIoU/dB. Overwrites their rows of
/// `batch.candidates` and `batch.targets`; one that lost its target, or has a side below one pixel,
/// stays where it started. `predictor` judges as it is set (training or evaluation) and learns
/// nothing. `layer2` and `layer3` are the backbone's maps of the batch's images; `pairs` are what
/// the batch was made of. Throws ShapeError if a target has fewer candidates than shall climb.
template <class T>
void ascend_candidates(const IouPredictor<T>& predictor, const Tensor<T>& layer2,
                       const Tensor<T>& layer3, std::span<const TrainingPair> pairs,
                       const AscentOptions& options, PairBatch<T>& batch);

extern template void ascend_candidates(const IouPredictor<float>&, const Tensor<float>&,
                                       const Tensor<float>&, std::span<const TrainingPair>,
                                       const AscentOptions&, PairBatch<float>&);
extern template void ascend_candidates(const IouPredictor<double>&, const Tensor<double>&,
                                       const Tensor<double>&, std::span<const TrainingPair>,
                                       const AscentOptions&, PairBatch<double>&);

}  // namespace atomtrack
