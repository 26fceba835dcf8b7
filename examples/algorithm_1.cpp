// SPDX-License-Identifier: MIT
// Fits y = a e^{-b x} to noisy points with Algorithm 1 of the paper: one call, given the residuals.
#include <cmath>
#include <cstdio>

#include "atomtrack/optimization/gauss_newton.hpp"
#include "atomtrack/tensor/random.hpp"

int main() {
  using namespace atomtrack;
  RandomSource random(1);
  const std::int64_t n = 50;
  Tensor<double> x(Shape{n}), y(Shape{n});
  for (std::int64_t i = 0; i < n; ++i) {
    x.data()[i] = 0.1 * static_cast<double>(i);
    y.data()[i] = 2.0 * std::exp(-0.7 * x.data()[i]) + random.normal(0.0, 0.01);
  }
  // r(w) for w = (a, b): as many tensors as one likes, here one.
  const ResidualFunction<double> residuals = [&](std::span<const Variable<double>> w) {
    return std::vector<Variable<double>>{w[0] * exp(-(w[1] * Variable<double>(x))) -
                                         Variable<double>(y)};
  };
  std::vector<Tensor<double>> w{Tensor<double>::scalar(1.0), Tensor<double>::scalar(0.1)};
  GaussNewtonOptions options;
  options.n_gn = 8;
  options.n_cg = 2;
  options.record_losses = RecordLosses::per_gauss_newton_step;
  const GaussNewtonSummary summary = minimize_gauss_newton(residuals, w, options);
  for (const double loss : summary.losses) std::printf("loss %.6f\n", loss);
  std::printf("a = %.3f, b = %.3f after %d BackProp calls\n", w[0].item(), w[1].item(),
              static_cast<int>(summary.backprop_calls));
  return std::abs(w[0].item() - 2.0) < 0.05 && std::abs(w[1].item() - 0.7) < 0.05 ? 0 : 1;
}
