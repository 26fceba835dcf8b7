// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <set>
#include <vector>

#include "atomtrack/primitives/interpreted_features.hpp"
#include "atomtrack/tensor/recording.hpp"
#include "cuda/context.hpp"
#include "cuda/descriptors.hpp"

namespace atomtrack::cuda {

/// A FeatureProgram whose convolutions take bias, residual and ReLU along in one call of cuDNN, on
/// whole batches; small batches that come again and again are recorded as a graph. Where cuDNN does
/// not offer a step fused, its parts run one by one.
template <class T>
class FusedFeatures final : public InterpretedFeatures<T> {
 public:
  using Step = typename FeatureProgram<T>::Step;

  FusedFeatures(Primitives<T>& primitives, const FeatureProgram<T>& program, int index);
  ~FusedFeatures() override;
  void run(const Tensor<T>& input, std::span<Tensor<T>> outputs) override;

 protected:
  void convolve(const Step& step, const Tensor<T>& x, const Tensor<T>& residual,
                Tensor<T>& result) override;

 private:
  /// A recording works on tensors of its own: those of a caller come and go.
  struct Batch {
    Tensor<T> input;
    std::vector<Tensor<T>> outputs;
    Recording recording;
  };

  Batch& batch_for(const Tensor<T>& input, std::span<const Tensor<T>> outputs);
  bool convolve_fused(const Step& step, const Tensor<T>& x, const Tensor<T>& residual,
                      Tensor<T>& result);

  Primitives<T>& primitives_;
  int index_;
  ActivationDescriptor relu_;
  std::set<const T*> unsupported_;         // filters of the steps that cuDNN has refused to fuse
  Handover handover_;                      // a plan serves one thread after the other
  std::map<std::int64_t, Batch> batches_;  // by number of images
};

extern template class FusedFeatures<float>;
extern template class FusedFeatures<double>;

}  // namespace atomtrack::cuda
