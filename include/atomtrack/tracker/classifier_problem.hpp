// SPDX-License-Identifier: MIT
#pragma once

#include "atomtrack/optimization/gauss_newton.hpp"

namespace atomtrack {

/// Equation (3) as residuals: L(w) = sum_j gamma_j ||f(x_j; w) - y_j||^2 + sum_k lambda_k ||w_k||^2
/// = ||r(w)||^2 with r_j = sqrt(gamma_j) (f(x_j; w) - y_j) and r_{m+k} = sqrt(lambda_k) w_k.
struct ClassifierLoss {
  double pelu_alpha = 0.05;
  double filter_regularization = 0.1;       ///< lambda of w_2
  double projection_regularization = 1e-4;  ///< lambda of w_1
};

/// The first frame's problem, in w = (w_2 [1,D,k,k], w_1 [D,C,1,1]): samples [M,C,F,F], labels
/// [M,1,F,F], weights gamma [M].
template <class T>
ResidualFunction<T> joint_residuals(const Tensor<T>& samples, const Tensor<T>& labels,
                                    const Tensor<T>& weights, const ClassifierLoss& loss);
/// The problem of an update, in w = (w_2): samples are projected, [M,D,F,F].
template <class T>
ResidualFunction<T> filter_residuals(const Tensor<T>& samples, const Tensor<T>& labels,
                                     const Tensor<T>& weights, const ClassifierLoss& loss);

extern template ResidualFunction<float> joint_residuals(const Tensor<float>&, const Tensor<float>&,
                                                        const Tensor<float>&,
                                                        const ClassifierLoss&);
extern template ResidualFunction<double> joint_residuals(const Tensor<double>&,
                                                         const Tensor<double>&,
                                                         const Tensor<double>&,
                                                         const ClassifierLoss&);
extern template ResidualFunction<float> filter_residuals(const Tensor<float>&, const Tensor<float>&,
                                                         const Tensor<float>&,
                                                         const ClassifierLoss&);
extern template ResidualFunction<double> filter_residuals(const Tensor<double>&,
                                                          const Tensor<double>&,
                                                          const Tensor<double>&,
                                                          const ClassifierLoss&);

}  // namespace atomtrack
