// SPDX-License-Identifier: MIT
#include "atomtrack/tracker/classifier_problem.hpp"

#include <cmath>

#include "atomtrack/layers/target_classifier.hpp"

namespace atomtrack {
namespace {

/// sqrt(gamma) as [M,1,1,1].
template <class T>
Variable<T> sample_factors(const Tensor<T>& weights, const Tensor<T>& labels) {
  require<ShapeError>(weights.shape() == Shape{labels.extent(0)}, "classifier: weights ",
                      weights.shape(), " for labels ", labels.shape(),
                      ": expected [M] and [M,1,F,F]");
  return sqrt(Variable<T>(weights.reshape(Shape{weights.numel(), 1, 1, 1})));
}

/// sqrt(gamma_j) (phi_2(w_2 * x_j) - y_j) for projected x_j.
template <class T>
Variable<T> data_residuals(const Variable<T>& projected, const Variable<T>& w2,
                           const Variable<T>& labels, const Variable<T>& factors, double alpha) {
  return factors * (target_confidence(target_scores(projected, w2), alpha) - labels);
}

}  // namespace

template <class T>
ResidualFunction<T> joint_residuals(const Tensor<T>& samples, const Tensor<T>& labels,
                                    const Tensor<T>& weights, const ClassifierLoss& loss) {
  return [x = Variable<T>(samples), y = Variable<T>(labels),
          factors = sample_factors(weights, labels), loss](std::span<const Variable<T>> w) {
    const Variable<T>& w2 = w[0];
    const Variable<T>& w1 = w[1];
    return std::vector<Variable<T>>{data_residuals(project(x, w1), w2, y, factors, loss.pelu_alpha),
                                    w2 * std::sqrt(loss.filter_regularization),
                                    w1 * std::sqrt(loss.projection_regularization)};
  };
}

template <class T>
ResidualFunction<T> filter_residuals(const Tensor<T>& samples, const Tensor<T>& labels,
                                     const Tensor<T>& weights, const ClassifierLoss& loss) {
  return [x = Variable<T>(samples), y = Variable<T>(labels),
          factors = sample_factors(weights, labels), loss](std::span<const Variable<T>> w) {
    return std::vector<Variable<T>>{data_residuals(x, w[0], y, factors, loss.pelu_alpha),
                                    w[0] * std::sqrt(loss.filter_regularization)};
  };
}

template ResidualFunction<float> joint_residuals(const Tensor<float>&, const Tensor<float>&,
                                                 const Tensor<float>&, const ClassifierLoss&);
template ResidualFunction<double> joint_residuals(const Tensor<double>&, const Tensor<double>&,
                                                  const Tensor<double>&, const ClassifierLoss&);
template ResidualFunction<float> filter_residuals(const Tensor<float>&, const Tensor<float>&,
                                                  const Tensor<float>&, const ClassifierLoss&);
template ResidualFunction<double> filter_residuals(const Tensor<double>&, const Tensor<double>&,
                                                   const Tensor<double>&, const ClassifierLoss&);

}  // namespace atomtrack
