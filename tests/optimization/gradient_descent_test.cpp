// SPDX-License-Identifier: MIT
#include "atomtrack/optimization/gradient_descent.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "atomtrack/optimization/gauss_newton.hpp"

using namespace atomtrack;

namespace {

// r(w) = (w_0^2 - 2, w_0 w_1 - 1, w_1 - 3), with the gradient of ||r||^2 derived by hand.
const ResidualFunction<double> residuals = [](std::span<const Variable<double>> w) {
  return std::vector<Variable<double>>{square(w[0]) - 2.0, w[0] * w[1] - 1.0, w[1] - 3.0};
};

double loss(double a, double b) {
  return std::pow(a * a - 2, 2) + std::pow(a * b - 1, 2) + std::pow(b - 3, 2);
}

}  // namespace

TEST_CASE("gradient descent with momentum follows the gradient derived by hand") {
  GradientDescentOptions options;
  options.steps = equal_budget(2, 3);  // 2 (1 + 2 * 3)
  options.rate = 0.01;
  options.momentum = 0.8;
  options.record_losses = true;
  std::vector<Tensor<double>> w{Tensor<double>::scalar(0.5), Tensor<double>::scalar(-0.3)};
  const GradientDescentSummary summary = minimize_gradient_descent(residuals, w, options);
  CHECK(options.steps == 14);
  CHECK(summary.backprop_calls == 14);
  REQUIRE(summary.losses.size() == 15);

  double a = 0.5, b = -0.3, da = 0.0, db = 0.0;
  for (int step = 0; step < options.steps; ++step) {
    CHECK(summary.losses[static_cast<std::size_t>(step)] ==
          doctest::Approx(loss(a, b)).epsilon(1e-12));
    const double ga = 4 * a * (a * a - 2) + 2 * b * (a * b - 1);
    const double gb = 2 * a * (a * b - 1) + 2 * (b - 3);
    da = 0.8 * da - 0.01 * ga;
    db = 0.8 * db - 0.01 * gb;
    a += da;
    b += db;
  }
  CHECK(w[0].item() == doctest::Approx(a).epsilon(1e-12));
  CHECK(w[1].item() == doctest::Approx(b).epsilon(1e-12));
}

TEST_CASE("the equal budget is what Algorithm 1 spends") {
  std::vector<Tensor<double>> w{Tensor<double>::scalar(0.5), Tensor<double>::scalar(-0.3)};
  GaussNewtonOptions options;
  options.n_gn = 3;
  options.n_cg = 2;
  CHECK(minimize_gauss_newton(residuals, w, options).backprop_calls ==
        static_cast<std::uint64_t>(equal_budget(3, 2)));
}

TEST_CASE("options out of range are refused") {
  std::vector<Tensor<double>> w{Tensor<double>::scalar(0.5), Tensor<double>::scalar(-0.3)};
  CHECK_THROWS_AS(minimize_gradient_descent(residuals, w, {1, -0.1, 0.9, false}), InputError);
  CHECK_THROWS_AS(minimize_gradient_descent(residuals, w, {1, 0.1, 1.0, false}), InputError);
  w.clear();
  CHECK_THROWS_AS(minimize_gradient_descent(residuals, w, {}), ShapeError);
}
