// SPDX-License-Identifier: MIT
#pragma once

#include <set>

#include "atomtrack/primitives/interpreted_features.hpp"
#include "cuda/context.hpp"
#include "cuda/descriptors.hpp"

namespace atomtrack::cuda {

/// A FeatureProgram whose convolutions take bias, residual and ReLU along in one call of cuDNN, on
/// whole batches. Where cuDNN does not offer that for a step, its parts run one by one.
template <class T>
class FusedFeatures final : public InterpretedFeatures<T> {
 public:
  using Step = typename FeatureProgram<T>::Step;

  FusedFeatures(Primitives<T>& primitives, const FeatureProgram<T>& program, int index);

 protected:
  void convolve(const Step& step, const Tensor<T>& x, const Tensor<T>& residual,
                Tensor<T>& result) override;

 private:
  bool convolve_fused(const Step& step, const Tensor<T>& x, const Tensor<T>& residual,
                      Tensor<T>& result);

  int index_;
  ActivationDescriptor relu_;
  std::set<const T*> unsupported_;  // filters of the steps that cuDNN has refused to fuse
};

extern template class FusedFeatures<float>;
extern template class FusedFeatures<double>;

}  // namespace atomtrack::cuda
