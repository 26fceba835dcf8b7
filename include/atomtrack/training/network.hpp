// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "atomtrack/layers/iou_predictor.hpp"
#include "atomtrack/layers/resnet18.hpp"
#include "atomtrack/training/pair_source.hpp"

namespace atomtrack {

/// What is trained: the IoU predictor and, at will, the backbone under it. Parameters carry the
/// names of a weights file.
template <class T>
struct TrainingNetwork {
  explicit TrainingNetwork(IouArchitecture architecture = IouArchitecture::modulation)
      : predictor(architecture) {}

  ResNet18<T> backbone;
  IouPredictor<T> predictor;

  static constexpr const char* backbone_name = "feature_extractor";
  static constexpr const char* predictor_name = "bb_regressor";

  void visit(const std::string& prefix, ModuleVisitor<T>& visitor) {
    backbone.visit(join_name(prefix, backbone_name), visitor);
    predictor.visit(join_name(prefix, predictor_name), visitor);
  }
};

/// Some pairs as tensors: N pairs, R targets each, K candidates per target.
template <class T>
struct PairBatch {
  Tensor<T> images;      ///< [2 N,3,S,S] normalised: the N reference crops, then the N test crops
  Tensor<T> references;  ///< [N,R,4] boxes in the reference crops
  Tensor<T> candidates;  ///< [N,R K,4] boxes in the test crops
  Tensor<T> targets;     ///< [N,R K] 2 IoU - 1
  Tensor<T> weights;     ///< [N,R K] in the loss
};

/// Throws ShapeError unless the pairs have the same sizes and numbers.
template <class T>
PairBatch<T> batch_of(std::span<const TrainingPair> pairs, Device device = Device::cpu());

/// The predictor's answer [N,R K] for the candidates of a batch, given the backbone's maps of its
/// images.
template <class T>
Variable<T> predict(const IouPredictor<T>& predictor, const Variable<T>& layer2,
                    const Variable<T>& layer3, const PairBatch<T>& batch);

/// The weighted mean of (predicted - target)^2, of shape []: section 3.1.
template <class T>
Variable<T> training_loss(const Variable<T>& predicted, const PairBatch<T>& batch);

extern template PairBatch<float> batch_of(std::span<const TrainingPair>, Device);
extern template PairBatch<double> batch_of(std::span<const TrainingPair>, Device);
extern template Variable<float> predict(const IouPredictor<float>&, const Variable<float>&,
                                        const Variable<float>&, const PairBatch<float>&);
extern template Variable<double> predict(const IouPredictor<double>&, const Variable<double>&,
                                         const Variable<double>&, const PairBatch<double>&);
extern template Variable<float> training_loss(const Variable<float>&, const PairBatch<float>&);
extern template Variable<double> training_loss(const Variable<double>&, const PairBatch<double>&);

}  // namespace atomtrack
