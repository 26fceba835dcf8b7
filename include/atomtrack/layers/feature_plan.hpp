// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "atomtrack/layers/iou_predictor.hpp"
#include "atomtrack/layers/resnet18.hpp"

namespace atomtrack {

/// The frozen part of the network (the backbone up to layer3 and, with a predictor, the
/// convolutions of its test branch), batch norm folded, compiled by the backend. Equal to the
/// layers run one by one, within 1e-4 of each map's largest magnitude in float. One thread at a
/// time.
template <class T>
class FeaturePlan {
 public:
  enum Output { layer1 = 1, layer2 = 2, layer3 = 4, iou3 = 8, iou4 = 16 };

  /// `outputs` is a union of Output flags; iou3 and iou4 need a predictor that uses
  /// that block. The input is
  /// [N,3,height,width]; height and width are multiples of 16. Throws InputError, also for a
  /// precision that the backend does not offer.
  FeaturePlan(const ResNet18<T>& backbone, const IouPredictor<T>* predictor, unsigned outputs,
              std::int64_t height, std::int64_t width, Precision precision = Precision::full);

  /// The outputs asked for, for images [N,3,height,width]; the others stay as they are. A tensor of
  /// the right shape and device is overwritten, any other is replaced.
  struct Maps {
    Tensor<T> layer1;  ///< [N,64,height/4,width/4]
    Tensor<T> layer2;  ///< [N,128,height/8,width/8]
    Tensor<T> layer3;  ///< [N,256,height/16,width/16]
    Tensor<T> iou3;    ///< [N,256,height/8,width/8]
    Tensor<T> iou4;    ///< [N,256,height/16,width/16]
  };
  void run(const Tensor<T>& images, Maps& maps);

 private:
  unsigned outputs_;
  std::vector<Shape> shapes_;  // [C,H,W] of each output asked for, in the order of their flags
  std::unique_ptr<CompiledFeatures<T>> compiled_;
};

extern template class FeaturePlan<float>;
extern template class FeaturePlan<double>;

}  // namespace atomtrack
