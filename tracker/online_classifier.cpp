// SPDX-License-Identifier: MIT
#include "atomtrack/tracker/online_classifier.hpp"

#include <cmath>

#include "atomtrack/layers/target_classifier.hpp"
#include "atomtrack/tracker/classifier_problem.hpp"

namespace atomtrack {
namespace {

ClassifierLoss loss_of(const Options& options) {
  return {options.pelu_alpha, options.filter_regularization, options.projection_regularization};
}

Tensor<float> drawn(const Shape& shape, double deviation, Device device, RandomSource& random) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < shape.numel(); ++i)
    values.push_back(static_cast<float>(random.normal(0.0, deviation)));
  return Tensor<float>(shape, std::span<const float>(values), device);
}

/// With as many BackProp calls as Algorithm 1 makes, times the factor of GD++.
GradientDescentOptions descent_of(const GaussNewtonOptions& algorithm1, const Options& options) {
  GradientDescentOptions descent;
  descent.steps = equal_budget(algorithm1.n_gn, algorithm1.n_cg) * options.gradient_descent_factor;
  descent.rate = options.gradient_descent_rate;
  descent.momentum = options.gradient_descent_momentum;
  return descent;
}

void minimize(const ResidualFunction<float>& residuals, std::vector<Tensor<float>>& w,
              const GaussNewtonOptions& algorithm1, const Options& options) {
  if (options.optimizer == ClassifierOptimizer::gauss_newton) {
    minimize_gauss_newton(residuals, w, algorithm1);
  } else {
    minimize_gradient_descent(residuals, w, descent_of(algorithm1, options));
  }
}

}  // namespace

FirstFrameProblem first_frame_problem(const Tensor<float>& features, const Tensor<float>& labels,
                                      const Options& options, RandomSource& random) {
  const Device device = features.device();
  const std::int64_t channels = features.extent(1), projected = options.projection_channels,
                     side = options.filter_size;
  const Shape filter_shape{1, projected, side, side};
  FirstFrameProblem problem;
  const Tensor<float> w1 = drawn(Shape{projected, channels, 1, 1},
                                 1.0 / std::sqrt(static_cast<double>(channels)), device, random);
  const Tensor<float> w2 =
      drawn(filter_shape, 1.0 / static_cast<double>(filter_shape.numel()), device, random);
  problem.w = {w2, w1};

  const std::int64_t samples = features.extent(0);
  const auto weights =
      Tensor<float>::full(Shape{samples}, 1.0F / static_cast<float>(samples), device);
  problem.residuals = joint_residuals(features, labels, weights, loss_of(options));
  problem.algorithm1.n_gn = options.first_frame_n_gn;
  problem.algorithm1.n_cg = options.first_frame_n_cg;
  if (options.diagonal_preconditioner) {
    problem.algorithm1.preconditioner = {options.filter_regularization,
                                         options.projection_regularization};
  }
  problem.gradient_descent = descent_of(problem.algorithm1, options);
  return problem;
}

OnlineClassifier::Weights OnlineClassifier::learn(const Tensor<float>& features,
                                                  const Tensor<float>& labels,
                                                  const Options& options, RandomSource& random) {
  FirstFrameProblem problem = first_frame_problem(features, labels, options, random);
  minimize(problem.residuals, problem.w, problem.algorithm1, options);
  return {problem.w[0], problem.w[1]};
}

OnlineClassifier::OnlineClassifier(const Tensor<float>& features, const Tensor<float>& labels,
                                   const Options& options, RandomSource& random)
    : OnlineClassifier(learn(features, labels, options, random), features, labels, options) {}

OnlineClassifier::OnlineClassifier(const Weights& learned, const Tensor<float>& features,
                                   const Tensor<float>& labels, const Options& options)
    : options_(options),
      projection_(learned.projection),
      filter_(learned.filter),
      memory_(project(features), labels, options) {}

OnlineClassifier OnlineClassifier::on(Device device) const {
  OnlineClassifier copy = *this;
  copy.projection_ = projection_.to(device);
  copy.filter_ = filter_.to(device);
  copy.memory_ = memory_.on(device);
  copy.updates_.clear();
  return copy;
}

Tensor<float> OnlineClassifier::project(const Tensor<float>& features) const {
  return atomtrack::project<float>(features, projection_).value();
}

Tensor<float> OnlineClassifier::scores(const Tensor<float>& projected) const {
  return target_scores<float>(projected, filter_).value();
}

void OnlineClassifier::remember(const Tensor<float>& projected, const Tensor<float>& label,
                                bool hard_negative) {
  memory_.add(projected, label,
              hard_negative ? options_.hard_negative_learning_rate : options_.learning_rate);
}

void OnlineClassifier::update(int n_cg) {
  GaussNewtonOptions algorithm1;
  algorithm1.n_gn = 1;
  algorithm1.n_cg = n_cg;
  algorithm1.polak_ribiere = options_.polak_ribiere_updates;
  std::vector<Tensor<float>> w{filter_};  // changed in place
  Recording& recording = updates_.try_emplace(n_cg, filter_.device()).first->second;
  recording.run(
      {filter_.data(), memory_.samples().data(), memory_.labels().data(), memory_.weights().data()},
      [&] {
        minimize(filter_residuals(memory_.samples(), memory_.labels(), memory_.weights(),
                                  loss_of(options_)),
                 w, algorithm1, options_);
      });
}

}  // namespace atomtrack
