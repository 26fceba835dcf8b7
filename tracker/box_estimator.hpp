// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include "atomtrack/layers/iou_predictor.hpp"
#include "atomtrack/tensor/random.hpp"
#include "atomtrack/tensor/recording.hpp"
#include "atomtrack/tracker/box_refinement.hpp"
#include "atomtrack/tracker/target.hpp"
#include "tracker/estimator_adaptation.hpp"

namespace atomtrack {

/// A target's position and size, in pixels of the frame, with the overlap predicted for it.
struct EstimatedBox {
  RowCol position;
  RowCol size;
  double overlap = 0.0;  ///< in [0, 1]
};

/// Target estimation by overlap maximisation (section 3.1) for one target: the IoU predictor with
/// the target's modulation vectors, computed once, and the ascent over proposals in each frame.
class BoxEstimator {
 public:
  /// `layer2` and `layer3` [1,C,H,W] are the backbone's maps of the first frame's crop, cut around
  /// `sample_position`. `predictor` must outlive this.
  BoxEstimator(const IouPredictor<float>& predictor, const Tensor<float>& layer2,
               const Tensor<float>& layer3, const Target& target, RowCol sample_position,
               const Options& options);

  /// A copy for the same predictor on another device.
  BoxEstimator on(const IouPredictor<float>& predictor, Device device) const;

  /// Fits the modulation vectors to crops of the first frame (`adapted`).
  void adapt(const KnownBoxes& known, RandomSource& random);

  /// Refines the box of size `target.size` at `position` in the crop cut around `sample_position`
  /// at `target.scale`, given the crop's features, which should be in the same tensors every time.
  /// Nothing if no proposal ends in an acceptable box.
  std::optional<EstimatedBox> estimate(const Tensor<float>& iou3, const Tensor<float>& iou4,
                                       const Target& target, RowCol position,
                                       RowCol sample_position, RandomSource& random);

 private:
  const IouPredictor<float>* predictor_;
  Options options_;
  Device device_;
  Modulation<float> modulation_;
  Tensor<float> proposals_;  // [K,4]
  RefinedBoxes<float> refined_;
  Recording ascent_;
};

/// A box in the frame as seen in a crop cut around `sample_position`, and back. As in the released
/// tracker, decoding is half a crop pixel off from being the inverse: it follows the convention of
/// training.
Box encode_box(RowCol position, RowCol size, RowCol sample_position, double scale, int crop_size);
EstimatedBox decode_box(const Box& box, RowCol sample_position, double scale, int crop_size);

}  // namespace atomtrack
