// SPDX-License-Identifier: MIT
#include "atomtrack/autodiff/batch_norm.hpp"

#include "atomtrack/autodiff/elementwise.hpp"
#include "atomtrack/autodiff/layout.hpp"
#include "atomtrack/autodiff/reductions.hpp"

namespace atomtrack {
namespace {

/// A per-channel vector [C] in a shape that broadcasts to x: [1,C] or [1,C,1,1].
template <class T>
Variable<T> per_channel(const Variable<T>& values, const Variable<T>& x) {
  require<ShapeError>(x.shape().rank() == 2 || x.shape().rank() == 4, "batch norm of ", x.shape(),
                      ": expected [N,C] or [N,C,H,W]");
  require<ShapeError>(values.shape() == Shape{x.extent(1)}, "batch norm of ", x.shape(),
                      " with parameters ", values.shape(), ": expected [", x.extent(1), "]");
  return x.shape().rank() == 2 ? reshape(values, Shape{1, x.extent(1)})
                               : reshape(values, Shape{1, x.extent(1), 1, 1});
}

template <class T>
Variable<T> channel_mean(const Variable<T>& x) {
  return x.shape().rank() == 2 ? mean(x, {0}) : mean(x, {0, 2, 3});
}

}  // namespace

template <class T>
Variable<T> batch_norm_evaluation(const Variable<T>& x, const Variable<T>& weight,
                                  const Variable<T>& bias, const Tensor<T>& running_mean,
                                  const Tensor<T>& running_variance, double epsilon) {
  // One factor and one offset per channel, so that the large map is passed over twice and not four
  // times.
  const Variable<T> factor = weight / sqrt(Variable<T>(running_variance) + epsilon);
  const Variable<T> offset = bias - factor * Variable<T>(running_mean);
  return x * per_channel(factor, x) + per_channel(offset, x);
}

template <class T>
BatchNormTraining<T> batch_norm_training(const Variable<T>& x, const Variable<T>& weight,
                                         const Variable<T>& bias, double epsilon) {
  require<ShapeError>(x.shape().numel() > 0, "batch norm in training of an empty batch ",
                      x.shape());
  const Variable<T> batch_mean = channel_mean(x);
  const Variable<T> centred = x - per_channel(batch_mean, x);
  const Variable<T> variance = channel_mean(square(centred));
  const Variable<T> factor = weight / sqrt(variance + epsilon);
  BatchNormTraining<T> result;
  result.y = centred * per_channel(factor, x) + per_channel(bias, x);
  result.batch_mean = batch_mean.value();
  result.batch_variance = variance.value();
  result.count = x.shape().numel() / x.extent(1);
  return result;
}

template Variable<float> batch_norm_evaluation(const Variable<float>&, const Variable<float>&,
                                               const Variable<float>&, const Tensor<float>&,
                                               const Tensor<float>&, double);
template Variable<double> batch_norm_evaluation(const Variable<double>&, const Variable<double>&,
                                                const Variable<double>&, const Tensor<double>&,
                                                const Tensor<double>&, double);
template BatchNormTraining<float> batch_norm_training(const Variable<float>&,
                                                      const Variable<float>&,
                                                      const Variable<float>&, double);
template BatchNormTraining<double> batch_norm_training(const Variable<double>&,
                                                       const Variable<double>&,
                                                       const Variable<double>&, double);

}  // namespace atomtrack
