// SPDX-License-Identifier: MIT
#include "atomtrack/primitives/interpreted_features.hpp"

#include <algorithm>

#include "atomtrack/primitives/checks.hpp"

namespace atomtrack {

template <class T>
InterpretedFeatures<T>::InterpretedFeatures(Primitives<T>& primitives,
                                            const FeatureProgram<T>& program,
                                            std::int64_t images_at_once)
    : primitives_(primitives),
      program_(program),
      shapes_(program.value_shapes()),
      images_at_once_(images_at_once) {
  for (auto& step : program_.steps) {  // frozen: the caller's tensors may change later
    if (step.filter.defined()) step.filter = step.filter.clone();
    if (step.bias.defined()) step.bias = step.bias.clone();
    step.geometry.precision = program.precision;
  }
  last_use_.assign(shapes_.size(), 0);
  for (std::size_t i = 0; i < program_.steps.size(); ++i) {
    last_use_[program_.steps[i].input] = i;
    if (program_.steps[i].has_residual) last_use_[program_.steps[i].residual] = i;
  }
  for (const std::size_t output : program_.outputs) last_use_[output] = program_.steps.size();
}

template <class T>
Tensor<T> InterpretedFeatures<T>::evaluate(const Step& step, const std::vector<Tensor<T>>& values) {
  const Tensor<T>& input = values[step.input];
  const Device device = input.device();
  if (step.kind == Step::Kind::max_pool) {
    Tensor<T> result(pool2d_shape(input.shape(), step.pool), device);
    Tensor<std::int32_t> indices(result.shape(), device);
    primitives_.max_pool2d(input, step.pool, result, indices);
    return result;
  }
  Tensor<T> result(conv2d_shape(input.shape(), step.filter.shape(), step.geometry), device);
  convolve(step, input, step.has_residual ? values[step.residual] : Tensor<T>(), result);
  return result;
}

template <class T>
void InterpretedFeatures<T>::convolve(const Step& step, const Tensor<T>& x,
                                      const Tensor<T>& residual, Tensor<T>& result) {
  primitives_.conv2d(x, step.filter, step.geometry, result);
  const Tensor<T> bias = step.bias.reshape(Shape{1, step.bias.numel(), 1, 1});
  primitives_.combine(Combination::add, result, bias, result);
  if (residual.defined()) primitives_.combine(Combination::add, result, residual, result);
  if (step.relu) primitives_.map({MapKind::relu}, result, result);
}

template <class T>
void InterpretedFeatures<T>::run_part(const Tensor<T>& images, std::span<Tensor<T>> outputs) {
  std::vector<Tensor<T>> values{images};
  for (std::size_t i = 0; i < program_.steps.size(); ++i) {
    values.push_back(evaluate(program_.steps[i], values));
    for (std::size_t v = 0; v < values.size(); ++v) {
      if (last_use_[v] <= i && values[v].defined()) values[v] = Tensor<T>();
    }
  }
  for (std::size_t i = 0; i < outputs.size(); ++i)
    primitives_.copy(values[program_.outputs[i]], outputs[i]);
}

template <class T>
void InterpretedFeatures<T>::check_run(const Tensor<T>& input,
                                       std::span<const Tensor<T>> outputs) const {
  const std::int64_t images = input.extent(0);
  const auto batch = [&](std::size_t value) {
    const Shape& made = shapes_[value];
    return Shape{images, made[0], made[1], made[2]};
  };
  checks::same_shape("features", batch(0), input.shape());
  require<ShapeError>(outputs.size() == program_.outputs.size(), "features: ", outputs.size(),
                      " outputs for a program of ", program_.outputs.size());
  for (std::size_t i = 0; i < outputs.size(); ++i)
    checks::same_shape("features", batch(program_.outputs[i]), outputs[i].shape());
}

template <class T>
void InterpretedFeatures<T>::run(const Tensor<T>& input, std::span<Tensor<T>> outputs) {
  check_run(input, outputs);
  const std::int64_t images = input.extent(0);
  std::vector<Tensor<T>> of_part(outputs.size());
  for (std::int64_t n = 0; n < images; n += images_at_once_) {
    const std::int64_t count = std::min(images_at_once_, images - n);
    for (std::size_t i = 0; i < outputs.size(); ++i) of_part[i] = outputs[i].slice(n, count);
    run_part(input.slice(n, count), of_part);
  }
}

template class InterpretedFeatures<float>;
template class InterpretedFeatures<double>;

}  // namespace atomtrack
