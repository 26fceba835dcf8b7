// SPDX-License-Identifier: MIT
#pragma once

#include "atomtrack/autodiff/variable.hpp"

namespace atomtrack {

/// (x - running_mean) / sqrt(running_variance + epsilon) * weight + bias per channel: x [N,C] or
/// [N,C,H,W], the others [C].
template <class T>
Variable<T> batch_norm_evaluation(const Variable<T>& x, const Variable<T>& weight,
                                  const Variable<T>& bias, const Tensor<T>& running_mean,
                                  const Tensor<T>& running_variance, double epsilon);

template <class T>
struct BatchNormTraining {
  Variable<T> y;
  Tensor<T> batch_mean;      ///< [C]
  Tensor<T> batch_variance;  ///< [C], biased (divided by `count`)
  std::int64_t count = 0;    ///< values per channel
};

/// The same with the batch's own mean and biased variance, through which gradients flow. Throws
/// ShapeError for an empty batch.
template <class T>
BatchNormTraining<T> batch_norm_training(const Variable<T>& x, const Variable<T>& weight,
                                         const Variable<T>& bias, double epsilon);

extern template Variable<float> batch_norm_evaluation(const Variable<float>&,
                                                      const Variable<float>&,
                                                      const Variable<float>&, const Tensor<float>&,
                                                      const Tensor<float>&, double);
extern template Variable<double> batch_norm_evaluation(const Variable<double>&,
                                                       const Variable<double>&,
                                                       const Variable<double>&,
                                                       const Tensor<double>&, const Tensor<double>&,
                                                       double);
extern template BatchNormTraining<float> batch_norm_training(const Variable<float>&,
                                                             const Variable<float>&,
                                                             const Variable<float>&, double);
extern template BatchNormTraining<double> batch_norm_training(const Variable<double>&,
                                                              const Variable<double>&,
                                                              const Variable<double>&, double);

}  // namespace atomtrack
