// SPDX-License-Identifier: MIT
#include "atomtrack/autodiff/gradient_check.hpp"

#include <doctest/doctest.h>

#include "tools/gradient_cases.hpp"

using namespace atomtrack;

namespace {

using In = std::span<const Variable<double>>;

const std::vector<Tensor<double>> point{Tensor<double>(Shape{3}, {0.4, -1.1, 0.7})};

/// x^2 with a derivative that is wrong by `error` in its first element.
Variable<double> wrong_square(const Variable<double>& x, double error) {
  return record(
      "wrong_square", square(x).value(),
      [x, error](std::size_t, const Variable<double>& g) {
        Tensor<double> factor = Tensor<double>::full(x.shape(), 2.0);
        factor.data()[0] += error;
        return g * x * Variable<double>(factor);
      },
      x);
}

}  // namespace

TEST_CASE("every operation passes, first and second order") {
  for (const tools::GradientCase& gradient_case : tools::gradient_cases()) {
    CAPTURE(gradient_case.op);
    const GradientReport report = tools::check(gradient_case);
    INFO(report.table());
    CHECK(report.passed());
  }
}

TEST_CASE("a derivative that is slightly wrong is caught, and the table points at it") {
  const auto check_with = [](double error) {
    return check_gradients([=](In in) { return wrong_square(in[0], error); }, point);
  };
  CHECK(check_with(0.0).passed());
  const GradientReport report = check_with(1e-5);
  CHECK_FALSE(report.passed());
  CHECK(report.arguments[0].row == 0);
  CHECK(report.arguments[0].column == 0);
  CHECK(report.arguments[0].max_absolute_error == doctest::Approx(0.4e-5).epsilon(1e-3));
  CHECK(report.table().find("FAILED") != std::string::npos);
}

TEST_CASE("projections catch a wrong derivative too") {
  GradientCheckOptions options;
  options.projections = 2;
  CHECK(check_gradients([](In in) { return wrong_square(in[0], 0.0); }, point, options).passed());
  CHECK_FALSE(
      check_gradients([](In in) { return wrong_square(in[0], 1e-4); }, point, options).passed());
}

TEST_CASE("a wrong second derivative behind a right first one is caught") {
  const CheckedFunction f = [](In in) {
    const Variable<double> x = in[0];
    // x^3 with gradient 3 x^2, taken as if the square were constant.
    return record(
        "half_right", (x * x * x).value(),
        [x](std::size_t, const Variable<double>& g) {
          return g * Variable<double>(square(x).value()) * 3.0;
        },
        x);
  };
  GradientCheckOptions options;
  CHECK(check_gradients(f, point, options).passed());
  options.order = 2;
  CHECK_FALSE(check_gradients(f, point, options).passed());
}

TEST_CASE("a kink within the step is reported and redrawn, not passed over") {
  const std::vector<Tensor<double>> at_kink{Tensor<double>(Shape{2}, {1e-5, 1.0})};
  const CheckedFunction f = [](In in) { return abs(in[0]); };
  const GradientReport stuck = check_gradients(f, at_kink);
  CHECK_FALSE(stuck.passed());
  CHECK(stuck.kinks == 1);
  CHECK_FALSE(stuck.failure.empty());
  GradientCheckOptions options;
  options.redraw = [](RandomSource& random) {
    return std::vector<Tensor<double>>{Tensor<double>(Shape{2}, {random.uniform(0.5, 1.0), -1.0})};
  };
  const GradientReport redrawn = check_gradients(f, at_kink, options);
  CHECK(redrawn.passed());
  CHECK(redrawn.kinks == 1);
  options.redraw = [&](RandomSource&) { return at_kink; };
  CHECK_FALSE(check_gradients(f, at_kink, options).passed());
}

TEST_CASE("a derivative that is not finite fails") {
  const CheckedFunction f = [](In in) {
    return record(
        "nan", in[0].value().clone(),
        [x = in[0]](std::size_t, const Variable<double>&) {
          return Variable<double>(
              Tensor<double>::full(x.shape(), std::numeric_limits<double>::quiet_NaN()));
        },
        in[0]);
  };
  CHECK_FALSE(check_gradients(f, point).passed());
}
