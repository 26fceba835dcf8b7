// SPDX-License-Identifier: MIT
#include "atomtrack/optimization/gauss_newton.hpp"

#include <doctest/doctest.h>

#include "atomtrack/tensor/random.hpp"
#include "atomtrack/tracker/classifier_problem.hpp"
#include "support/compare.hpp"
#include "support/goldens.hpp"

using namespace atomtrack;
using test::absolute_difference;
using test::Golden;
using test::relative_difference;

namespace {

template <class T>
struct JointRun {
  std::vector<double> losses;
  std::vector<Tensor<T>> filters, projections;  // after each Gauss-Newton step
};

/// The golden's tiny classifier problem, minimised as `group` says.
template <class T>
JointRun<T> run(const Golden& golden, const std::string& group, Device device) {
  const ClassifierLoss loss{0.05, golden.attribute(group, "lambda_filter"),
                            golden.attribute(group, "lambda_proj")};
  const auto residuals =
      joint_residuals(golden.tensor<T>("samples", device), golden.tensor<T>("labels", device),
                      golden.tensor<T>("sample_weights", device), loss);
  std::vector<Tensor<T>> w{golden.tensor<T>("filter0", device), golden.tensor<T>("proj0", device)};
  GaussNewtonOptions options;
  options.n_gn = 1;
  options.n_cg = static_cast<int>(golden.attribute(group, "cg_iter"));
  options.record_losses = RecordLosses::per_conjugate_gradient_step;
  if (golden.attribute(group, "preconditioner") != 0.0) {
    options.preconditioner = {loss.filter_regularization, loss.projection_regularization};
  }
  options.polak_ribiere = golden.attribute(group, "fletcher_reeves") == 0.0;
  JointRun<T> result;
  for (int i = 0; i < static_cast<int>(golden.attribute(group, "gn_iter")); ++i) {
    const GaussNewtonSummary summary = minimize_gauss_newton(residuals, w, options);
    result.losses.insert(result.losses.end(), summary.losses.begin() + (i == 0 ? 0 : 1),
                         summary.losses.end());
    result.filters.push_back(w[0].clone());
    result.projections.push_back(w[1].clone());
  }
  return result;
}

double worst_relative(const std::vector<double>& ours, const std::vector<double>& theirs,
                      std::size_t count) {
  double worst = 0.0;
  for (std::size_t i = 0; i < count; ++i)
    worst = std::max(worst, std::abs(ours[i] - theirs[i]) / std::abs(theirs[i]));
  return worst;
}

bool is_double(const std::string& group) {
  return group.ends_with("_f64");
}

}  // namespace

// Conjugate Gradient in finite precision amplifies rounding: on these problems a difference in the
// last bit grows about 25-fold per iteration once the gradient is small, so two correct programs
// agree to 1e-15 at first and to fewer digits later. The recorded runs in float and in double part
// in the same way (by 6e-4 of the loss where well conditioned, 5e-2 otherwise).

TEST_CASE("Algorithm 1 in double agrees with the goldens") {
  const Golden golden("gncg.h5");
  for (const Device device : {Device::cpu(), Device::reference()}) {
    for (const std::string& group : golden.children("/")) {
      if (!group.starts_with("joint_") || !is_double(group)) continue;
      CAPTURE(group);
      const JointRun<double> ours = run<double>(golden, group, device);
      const auto losses = golden.tensor<double>(group + "/losses").to_vector();
      REQUIRE(ours.losses.size() == losses.size());
      const bool well_conditioned = group.find("wellcond") != std::string::npos;
      CHECK(worst_relative(ours.losses, losses, 5) < 1e-13);
      CHECK(worst_relative(ours.losses, losses, well_conditioned ? 11 : 8) < 1e-8);
      CHECK(worst_relative(ours.losses, losses, losses.size()) < (well_conditioned ? 1e-4 : 5e-2));
      if (!well_conditioned) continue;
      const auto filters = golden.tensor<double>(group + "/filter_gn");
      const auto projections = golden.tensor<double>(group + "/proj_gn");
      for (std::int64_t i = 0; i < 6; ++i) {
        const Tensor<double>& filter = ours.filters[static_cast<std::size_t>(i)];
        const Tensor<double>& projection = ours.projections[static_cast<std::size_t>(i)];
        CHECK(relative_difference(filter, filters.slice(i, 1).reshape(filter.shape())) < 1e-4);
        CHECK(relative_difference(projection, projections.slice(i, 1).reshape(projection.shape())) <
              1e-4);
      }
    }
  }
}

TEST_CASE("Algorithm 1 in float agrees with the goldens") {
  const Golden golden("gncg.h5");
  for (const std::string& group : golden.children("/")) {
    if (!group.starts_with("joint_") || is_double(group)) continue;
    CAPTURE(group);
    const JointRun<float> ours = run<float>(golden, group, Device::cpu());
    const auto losses = golden.tensor<double>(group + "/losses").to_vector();
    REQUIRE(ours.losses.size() == losses.size());
    const bool well_conditioned = group.find("wellcond") != std::string::npos;
    CHECK(worst_relative(ours.losses, losses, 6) < (well_conditioned ? 1e-5 : 1e-3));
    CHECK(worst_relative(ours.losses, losses, 11) < (well_conditioned ? 1e-4 : 5e-2));
    if (well_conditioned) CHECK(worst_relative(ours.losses, losses, losses.size()) < 5e-3);
    CHECK(ours.losses.back() < 0.5 * ours.losses.front());
  }
}

TEST_CASE_TEMPLATE("the products with J and J^T agree with the goldens", T, float, double) {
  const Golden golden("gncg.h5");
  const auto residuals = joint_residuals(golden.tensor<T>("samples"), golden.tensor<T>("labels"),
                                         golden.tensor<T>("sample_weights"), ClassifierLoss{});
  const std::vector<Tensor<T>> w{golden.tensor<T>("filter0"), golden.tensor<T>("proj0")};
  const std::vector<Tensor<T>> p{golden.tensor<T>("operators/p_filter"),
                                 golden.tensor<T>("operators/p_proj")};
  const detail::Linearization<T> at(residuals, w);
  const auto golden_tensor = [&](const char* name) {
    return golden.tensor<double>(std::string("operators/") + name);
  };
  CHECK(relative_difference(at.r[0].value(), golden_tensor("r_data")) < 1e-5);
  CHECK(relative_difference(at.r[1].value(), golden_tensor("r_filter")) < 1e-5);
  CHECK(relative_difference(at.r[2].value(), golden_tensor("r_proj")) < 1e-5);
  CHECK(relative_difference(at.h[0].value(), golden_tensor("h_filter")) < 1e-5);
  CHECK(relative_difference(at.h[1].value(), golden_tensor("h_proj")) < 1e-5);
  const auto jp = backprop(detail::inner_sum(at.h, detail::constants(p)), std::span(at.u));
  CHECK(relative_difference(jp[0].value(), golden_tensor("Jp_data")) < 1e-5);
  CHECK(relative_difference(jp[1].value(), golden_tensor("Jp_filter")) < 1e-5);
  CHECK(relative_difference(jp[2].value(), golden_tensor("Jp_proj")) < 1e-5);
  const auto jtjp = gauss_newton_product<T>(residuals, w, p);
  CHECK(relative_difference(jtjp[0], golden_tensor("JtJp_filter")) < 1e-5);
  CHECK(relative_difference(jtjp[1], golden_tensor("JtJp_proj")) < 1e-5);
}

TEST_CASE("an update of the filter alone agrees with the goldens") {
  const Golden golden("gncg.h5");
  const auto residuals = filter_residuals(
      golden.tensor<float>("filter_only/samples"), golden.tensor<float>("filter_only/labels"),
      golden.tensor<float>("filter_only/sample_weights"), ClassifierLoss{});
  for (const bool polak_ribiere : {false, true}) {
    const std::string suffix = polak_ribiere ? "PR" : "FR";
    CAPTURE(suffix);
    const auto filters = golden.tensor<double>("filter_only/filter_" + suffix);
    const auto losses = golden.tensor<double>("filter_only/losses_" + suffix).to_vector();
    for (int n_cg = 1; n_cg <= 5; ++n_cg) {
      std::vector<Tensor<float>> w{golden.tensor<float>("filter_only/filter0")};
      GaussNewtonOptions options;
      options.n_cg = n_cg;
      options.polak_ribiere = polak_ribiere;
      options.record_losses = RecordLosses::per_gauss_newton_step;
      const GaussNewtonSummary summary = minimize_gauss_newton(residuals, w, options);
      CHECK(relative_difference(w[0], filters.slice(n_cg, 1).reshape(w[0].shape())) < 1e-4);
      CHECK(summary.losses.front() == doctest::Approx(losses[0]).epsilon(1e-5));
      CHECK(summary.losses.back() ==
            doctest::Approx(losses[static_cast<std::size_t>(n_cg)]).epsilon(1e-4));
      CHECK(summary.backprop_calls == static_cast<std::uint64_t>(1 + 2 * n_cg));
    }
  }
}

TEST_CASE("J^T J p equals the product with the Jacobian written out") {
  const Golden golden("gncg.h5");
  const auto residuals =
      joint_residuals(golden.tensor<double>("samples"), golden.tensor<double>("labels"),
                      golden.tensor<double>("sample_weights"), ClassifierLoss{});
  const std::vector<Tensor<double>> w{golden.tensor<double>("filter0"),
                                      golden.tensor<double>("proj0")};
  const std::vector<Tensor<double>> p{golden.tensor<double>("operators/p_filter"),
                                      golden.tensor<double>("operators/p_proj")};
  // J^T row by row: one back-propagation per residual, so that the double back-propagation is not
  // involved.
  const auto leaves = detail::leaves<double>(w);
  const auto r = residuals(leaves);
  std::vector<double> expected(static_cast<std::size_t>(w[0].numel() + w[1].numel()));
  for (const Variable<double>& part : r) {
    for (std::int64_t i = 0; i < part.shape().numel(); ++i) {
      Tensor<double> unit = Tensor<double>::zeros(part.shape());
      unit.data()[i] = 1.0;
      const auto row =
          backprop_from(part, Variable<double>(unit), std::span(leaves), Differentiable::no);
      std::vector<double> flat = row[0].value().to_vector();
      const std::vector<double> rest = row[1].value().to_vector();
      flat.insert(flat.end(), rest.begin(), rest.end());
      double along_p = 0.0;
      for (std::size_t k = 0; k < flat.size(); ++k) {
        along_p += flat[k] * (k < static_cast<std::size_t>(p[0].numel())
                                  ? p[0].data()[k]
                                  : p[1].data()[k - static_cast<std::size_t>(p[0].numel())]);
      }
      for (std::size_t k = 0; k < flat.size(); ++k) expected[k] += flat[k] * along_p;
    }
  }
  const auto product = gauss_newton_product<double>(residuals, w, p);
  std::vector<double> ours = product[0].to_vector();
  const std::vector<double> rest = product[1].to_vector();
  ours.insert(ours.end(), rest.begin(), rest.end());
  double largest = 0.0;
  for (const double value : expected) largest = std::max(largest, std::abs(value));
  for (std::size_t k = 0; k < expected.size(); ++k)
    CHECK(std::abs(ours[k] - expected[k]) < 1e-12 * largest);
}

TEST_CASE("a linear problem of n unknowns is solved in n iterations, and then stays solved") {
  const std::int64_t n = 6;
  RandomSource random(3);
  Tensor<double> a(Shape{9, n}), b(Shape{9, 1});
  for (double& value : a.span()) value = random.normal();
  for (double& value : b.span()) value = random.normal();
  const ResidualFunction<double> residuals = [&](std::span<const Variable<double>> w) {
    return std::vector<Variable<double>>{matmul(Variable<double>(a), w[0]) - Variable<double>(b)};
  };
  std::vector<Tensor<double>> w{Tensor<double>::zeros(Shape{n, 1})};
  GaussNewtonOptions options;
  options.n_cg = static_cast<int>(n);
  options.record_losses = RecordLosses::per_conjugate_gradient_step;
  const auto summary = minimize_gauss_newton(residuals, w, options);
  for (std::size_t i = 1; i < summary.losses.size(); ++i)
    CHECK(summary.losses[i] <= summary.losses[i - 1] * (1 + 1e-12));
  const auto leaf = detail::leaves<double>(w);
  const auto r = residuals(leaf);
  const auto gradient = backprop(inner(r[0], r[0]), leaf[0]);
  CHECK(absolute_difference(gradient.value(), Tensor<double>::zeros(Shape{n, 1})) < 1e-9);

  SUBCASE("also when the start is the solution exactly") {
    std::vector<Tensor<double>> at_rest{Tensor<double>::zeros(Shape{2, 1})};
    const ResidualFunction<double> nothing = [](std::span<const Variable<double>> v) {
      return std::vector<Variable<double>>{v[0] * 3.0};
    };
    const auto resting = minimize_gauss_newton(nothing, at_rest, options);
    CHECK(resting.converged);
    CHECK(at_rest[0].data()[0] == 0.0);
  }
}

TEST_CASE("carrying the direction on changes the second call only") {
  const Golden golden("gncg.h5");
  const auto residuals = filter_residuals(
      golden.tensor<double>("filter_only/samples"), golden.tensor<double>("filter_only/labels"),
      golden.tensor<double>("filter_only/sample_weights"), ClassifierLoss{});
  GaussNewtonOptions fresh, carried;
  fresh.n_cg = carried.n_cg = 3;
  carried.direction_forget_factor = 0.8;
  std::vector<Tensor<double>> a{golden.tensor<double>("filter_only/filter0")},
      b{golden.tensor<double>("filter_only/filter0")};
  ConjugateGradientState<double> state;
  minimize_gauss_newton(residuals, a, fresh);
  minimize_gauss_newton(residuals, b, carried, &state);
  CHECK(absolute_difference(a[0], b[0]) == 0.0);
  CHECK(state.direction.size() == 1);
  minimize_gauss_newton(residuals, a, fresh);
  minimize_gauss_newton(residuals, b, carried, &state);
  CHECK(absolute_difference(a[0], b[0]) > 0.0);
}

TEST_CASE("options out of range are refused") {
  const ResidualFunction<double> residuals = [](std::span<const Variable<double>> w) {
    return std::vector<Variable<double>>{w[0]};
  };
  std::vector<Tensor<double>> w{Tensor<double>::zeros(Shape{2})};
  GaussNewtonOptions options;
  options.n_cg = 0;
  CHECK_THROWS_AS(minimize_gauss_newton(residuals, w, options), InputError);
  options = {};
  options.preconditioner = {1.0, 2.0};
  CHECK_THROWS_AS(minimize_gauss_newton(residuals, w, options), InputError);
  options.preconditioner = {0.0};
  CHECK_THROWS_AS(minimize_gauss_newton(residuals, w, options), InputError);
  w.clear();
  CHECK_THROWS_AS(minimize_gauss_newton(residuals, w, {}), ShapeError);
}
