// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "atomtrack/primitives/primitives.hpp"

namespace atomtrack {

/// A FeatureProgram run step by step through a backend's own primitives: what `compile` gives where
/// nothing is fused.
template <class T>
class InterpretedFeatures final : public CompiledFeatures<T> {
 public:
  /// `primitives` must outlive this object.
  InterpretedFeatures(Primitives<T>& primitives, const FeatureProgram<T>& program);
  void run(const Tensor<T>& input, std::span<Tensor<T>> outputs) override;

 private:
  void run_image(const Tensor<T>& image, std::span<Tensor<T>> outputs);
  Tensor<T> evaluate(const typename FeatureProgram<T>::Step& step,
                     const std::vector<Tensor<T>>& values);

  Primitives<T>& primitives_;
  FeatureProgram<T> program_;
  std::vector<Shape> shapes_;
  std::vector<std::size_t> last_use_;  // the step after which a value is not needed any more
};

extern template class InterpretedFeatures<float>;
extern template class InterpretedFeatures<double>;

}  // namespace atomtrack
