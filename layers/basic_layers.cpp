// SPDX-License-Identifier: MIT
#include "atomtrack/layers/basic_layers.hpp"

#include <cmath>

namespace atomtrack {
namespace {

/// running = (1 - momentum) running + momentum * factor * batch, in place.
template <class T>
void move_running(const Tensor<T>& batch, double factor, double momentum,
                  const Tensor<T>& running) {
  Tensor<T> target = running;  // shares the elements
  Primitives<T>& primitives = primitives_for<T>(running.device());
  primitives.map({MapKind::scale, 1.0 - momentum}, target, target);
  primitives.axpy(momentum * factor, Tensor<double>::scalar(1.0, running.device()), batch, target);
}

}  // namespace

template <class T>
Variable<T> BatchNorm2d<T>::operator()(const Variable<T>& x) const {
  if (!training)
    return batch_norm_evaluation(x, weight, bias, running_mean, running_variance, epsilon);
  BatchNormTraining<T> result = batch_norm_training(x, weight, bias, epsilon);
  const auto count = static_cast<double>(result.count);
  move_running(result.batch_mean, 1.0, momentum, running_mean);
  move_running(result.batch_variance, count / std::max(1.0, count - 1.0), momentum,
               running_variance);
  return result.y;
}

template <class T>
FoldedBatchNorm fold(const BatchNorm2d<T>& norm) {
  const auto weight = norm.weight.value().to_vector();
  const auto bias = norm.bias.value().to_vector();
  const auto mean = norm.running_mean.to_vector();
  const auto variance = norm.running_variance.to_vector();
  FoldedBatchNorm folded;
  for (std::size_t c = 0; c < weight.size(); ++c) {
    const double factor = static_cast<double>(weight[c]) /
                          std::sqrt(static_cast<double>(variance[c]) + BatchNorm2d<T>::epsilon);
    folded.factor.push_back(factor);
    folded.offset.push_back(static_cast<double>(bias[c]) - factor * static_cast<double>(mean[c]));
  }
  return folded;
}

template <class T>
void LinearBlock<T>::fold_batch_norm() {
  if (!norm) return;
  const FoldedBatchNorm folded = fold(*norm);
  std::vector<T> weight = linear.weight.value().to_vector();
  std::vector<T> bias = linear.bias.value().to_vector();
  const auto inputs = static_cast<std::size_t>(linear.weight.extent(1));
  for (std::size_t o = 0; o < bias.size(); ++o) {
    for (std::size_t i = 0; i < inputs; ++i) {
      weight[o * inputs + i] =
          static_cast<T>(folded.factor[o] * static_cast<double>(weight[o * inputs + i]));
    }
    bias[o] = static_cast<T>(folded.factor[o] * static_cast<double>(bias[o]) + folded.offset[o]);
  }
  const Device device = linear.weight.device();
  linear.weight = Variable<T>(Tensor<T>(linear.weight.shape(), std::span<const T>(weight), device));
  linear.bias = Variable<T>(Tensor<T>(linear.bias.shape(), std::span<const T>(bias), device));
  norm.reset();
}

template struct BatchNorm2d<float>;
template struct BatchNorm2d<double>;
template FoldedBatchNorm fold(const BatchNorm2d<float>&);
template FoldedBatchNorm fold(const BatchNorm2d<double>&);
template struct LinearBlock<float>;
template struct LinearBlock<double>;

}  // namespace atomtrack
