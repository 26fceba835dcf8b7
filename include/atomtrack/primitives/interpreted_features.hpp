// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "atomtrack/primitives/primitives.hpp"

namespace atomtrack {

/// A FeatureProgram run step by step through a backend's own primitives: what `compile` gives where
/// nothing is fused. A backend that fuses single steps overrides `convolve`.
template <class T>
class InterpretedFeatures : public CompiledFeatures<T> {
 public:
  using Step = typename FeatureProgram<T>::Step;

  /// `primitives` must outlive this object. A batch is run in parts of `images_at_once`, so that
  /// scratch memory does not grow with it.
  InterpretedFeatures(Primitives<T>& primitives, const FeatureProgram<T>& program,
                      std::int64_t images_at_once = 1);
  void run(const Tensor<T>& input, std::span<Tensor<T>> outputs) override;

 protected:
  /// Throws ShapeError unless these fit the program.
  void check_run(const Tensor<T>& input, std::span<const Tensor<T>> outputs) const;

  /// result [N,Cout,Ho,Wo] = relu(conv2d(x, filter) + bias + residual) as `step` says; `residual`
  /// is undefined where it has none.
  virtual void convolve(const Step& step, const Tensor<T>& x, const Tensor<T>& residual,
                        Tensor<T>& result);

 private:
  void run_part(const Tensor<T>& images, std::span<Tensor<T>> outputs);
  Tensor<T> evaluate(const Step& step, const std::vector<Tensor<T>>& values);

  Primitives<T>& primitives_;
  FeatureProgram<T> program_;
  std::vector<Shape> shapes_;
  std::int64_t images_at_once_;
  std::vector<std::size_t> last_use_;  // the step after which a value is not needed any more
};

extern template class InterpretedFeatures<float>;
extern template class InterpretedFeatures<double>;

}  // namespace atomtrack
