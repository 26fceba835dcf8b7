// SPDX-License-Identifier: MIT
#include "atomtrack/autodiff/gradient_check.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

namespace atomtrack {
namespace {

using Values = std::vector<double>;
using Inputs = std::vector<Tensor<double>>;

/// Raised inside: the numeric derivative did not converge.
struct KinkMet {};

constexpr int tableau_size = 12;
constexpr double shrink = 1.4;
// A numeric derivative is trusted if its own error estimate is this far below the tolerance it
// serves.
constexpr double trust = 0.5;

/// d/dt of g(t) at 0 for a vector-valued g, entry by entry, by Ridders' method (1982): central
/// differences with shrinking steps, extrapolated to step zero by Neville's scheme; per entry the
/// extrapolate with the smallest estimated error is kept.
struct Derivative {
  Values value, error;
};

Derivative ridders(const std::function<Values(double)>& g, double step) {
  std::vector<Values> previous;
  Derivative best;
  for (int i = 0; i < tableau_size; ++i, step /= shrink) {
    const Values above = g(step), below = g(-step);
    std::vector<Values> row(1, Values(above.size()));
    for (std::size_t e = 0; e < above.size(); ++e) row[0][e] = (above[e] - below[e]) / (2 * step);
    if (i == 0) best = {row[0], Values(above.size(), std::numeric_limits<double>::infinity())};
    double factor = shrink * shrink;
    for (std::size_t j = 1; j <= previous.size(); ++j, factor *= shrink * shrink) {
      Values next(above.size());
      for (std::size_t e = 0; e < next.size(); ++e) {
        next[e] = (row[j - 1][e] * factor - previous[j - 1][e]) / (factor - 1);
        const double error =
            std::max(std::abs(next[e] - row[j - 1][e]), std::abs(next[e] - previous[j - 1][e]));
        if (error <= best.error[e]) {
          best.error[e] = error;
          best.value[e] = next[e];
        }
      }
      row.push_back(std::move(next));
    }
    previous = std::move(row);
  }
  return best;
}

Values evaluate(const CheckedFunction& f, const Inputs& inputs) {
  const std::vector<Variable<double>> variables(inputs.begin(), inputs.end());
  return f(variables).value().to_vector();
}

/// inputs with input `k` moved by t * direction.
Inputs moved(const Inputs& inputs, std::size_t k, const Values& direction, double t) {
  Inputs result = inputs;
  Values values = inputs[k].to_vector();
  for (std::size_t i = 0; i < values.size(); ++i) values[i] += t * direction[i];
  result[k] =
      Tensor<double>(inputs[k].shape(), std::span<const double>(values), inputs[k].device());
  return result;
}

std::vector<Variable<double>> leaves(const Inputs& inputs) {
  std::vector<Variable<double>> result;
  for (const Tensor<double>& input : inputs) result.push_back(Variable<double>::leaf(input));
  return result;
}

Tensor<double> random_like(const Tensor<double>& tensor, RandomSource& random) {
  Values values(static_cast<std::size_t>(tensor.numel()));
  for (double& value : values) value = random.normal();
  return Tensor<double>(tensor.shape(), std::span<const double>(values), tensor.device());
}

double product(const Values& a, const Values& b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

/// Compares matrices of analytic and numeric entries, columns given one after another.
class Comparison {
 public:
  explicit Comparison(std::size_t rows) : rows_(rows), row_sums_(rows, 0.0) {}

  void add_column(const Values& analytic, const Derivative& numeric) {
    for (std::size_t r = 0; r < rows_; ++r) {
      entries_.push_back({analytic[r], numeric.value[r], numeric.error[r]});
      row_sums_[r] += std::abs(analytic[r]);
    }
  }

  /// Throws KinkMet when a numeric entry is not to be trusted at this tolerance and disagrees.
  ArgumentReport report(double tolerance) const {
    ArgumentReport result;
    const double norm =
        row_sums_.empty() ? 0.0 : *std::max_element(row_sums_.begin(), row_sums_.end());
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const auto& [analytic, numeric, uncertainty] = entries_[i];
      const double gap = std::abs(analytic - numeric);
      const double scale = std::max({std::abs(analytic), std::abs(numeric), 1e-3 * norm, 1e-6});
      const double relative =
          std::isfinite(gap) ? gap / scale : std::numeric_limits<double>::infinity();
      if (relative > tolerance && !(uncertainty / scale <= trust * tolerance) &&
          std::isfinite(analytic))
        throw KinkMet{};
      result.max_absolute_error = std::max(result.max_absolute_error, gap);
      if (i == 0 || relative > result.max_relative_error) {
        result.max_relative_error = relative;
        result.row = static_cast<std::int64_t>(i % rows_);
        result.column = static_cast<std::int64_t>(i / rows_);
        result.analytic = analytic;
        result.numeric = numeric;
      }
    }
    result.entries = static_cast<std::int64_t>(entries_.size());
    result.passed = result.max_relative_error <= tolerance;
    return result;
  }

 private:
  struct Entry {
    double analytic, numeric, uncertainty;
  };
  std::size_t rows_;
  std::vector<Entry> entries_;
  Values row_sums_;
};

/// The whole Jacobian of f with respect to input k, analytic by one back-propagation per result,
/// numeric by one derivative per input element.
ArgumentReport compare_jacobian(const CheckedFunction& f, const Inputs& inputs, std::size_t k,
                                double step, double tolerance) {
  const std::vector<Variable<double>> at = leaves(inputs);
  const Variable<double> result = f(at);
  const auto rows = static_cast<std::size_t>(result.shape().numel());
  const auto columns = static_cast<std::size_t>(inputs[k].numel());
  std::vector<Values> gradients;  // row by row
  for (std::size_t r = 0; r < rows; ++r) {
    Values unit(rows, 0.0);
    unit[r] = 1.0;
    const Tensor<double> seed(result.shape(), std::span<const double>(unit), result.device());
    gradients.push_back(
        backprop_from(result, Variable<double>(seed), std::span(&at[k], 1), Differentiable::no)[0]
            .value()
            .to_vector());
  }
  Comparison comparison(rows);
  for (std::size_t c = 0; c < columns; ++c) {
    Values direction(columns, 0.0);
    direction[c] = 1.0;
    const Derivative numeric =
        ridders([&](double t) { return evaluate(f, moved(inputs, k, direction, t)); }, step);
    Values analytic(rows);
    for (std::size_t r = 0; r < rows; ++r) analytic[r] = gradients[r][c];
    comparison.add_column(analytic, numeric);
  }
  return comparison.report(tolerance);
}

/// Random projections u^T J v: one back-propagation and one numeric derivative each.
ArgumentReport compare_projections(const CheckedFunction& f, const Inputs& inputs, std::size_t k,
                                   const GradientCheckOptions& options, double tolerance,
                                   RandomSource& random) {
  const std::vector<Variable<double>> at = leaves(inputs);
  const Variable<double> result = f(at);
  Comparison comparison(1);
  for (int i = 0; i < options.projections; ++i) {
    const Tensor<double> u = random_like(result.value(), random);
    Values direction = random_like(inputs[k], random).to_vector();
    const double length = std::sqrt(product(direction, direction));
    for (double& value : direction) value /= length;
    const Values gradient =
        backprop_from(result, Variable<double>(u), std::span(&at[k], 1), Differentiable::no)[0]
            .value()
            .to_vector();
    const Values weights = u.to_vector();
    const Derivative numeric = ridders(
        [&](double t) {
          return Values{product(weights, evaluate(f, moved(inputs, k, direction, t)))};
        },
        options.step);
    comparison.add_column({product(gradient, direction)}, numeric);
  }
  return comparison.report(tolerance);
}

std::string name_of(const GradientCheckOptions& options, std::size_t k) {
  return k < options.argument_names.size() ? options.argument_names[k] : std::to_string(k);
}

/// All inputs of f at one order; `of` names whose gradient f is.
void compare_all(const CheckedFunction& f, const Inputs& inputs,
                 const GradientCheckOptions& options, int order, const std::string& of,
                 RandomSource& random, std::vector<ArgumentReport>& reports) {
  const double tolerance =
      order == 1 ? options.first_order_tolerance : options.second_order_tolerance;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    ArgumentReport report = options.projections > 0
                                ? compare_projections(f, inputs, k, options, tolerance, random)
                                : compare_jacobian(f, inputs, k, options.step, tolerance);
    report.argument = name_of(options, k);
    report.of = of;
    report.order = order;
    reports.push_back(report);
  }
}

/// The gradient of <weights, f> with respect to input i, as a function that can be checked itself.
CheckedFunction gradient_of(const CheckedFunction& f, std::size_t i,
                            const Tensor<double>& weights) {
  return [f, i, weights](std::span<const Variable<double>> inputs) {
    // Inputs that come as constants are made leaves, so that the gradient exists; those that are
    // leaves stay as they are.
    std::vector<Variable<double>> at(inputs.begin(), inputs.end());
    if (!at[i].needs_gradient()) at[i] = Variable<double>::leaf(at[i].value());
    return backprop(inner(f(at), Variable<double>(weights)), at[i]);
  };
}

std::vector<ArgumentReport> compare_orders(const CheckedFunction& f, const Inputs& inputs,
                                           const GradientCheckOptions& options,
                                           RandomSource& random) {
  std::vector<ArgumentReport> reports;
  compare_all(f, inputs, options, 1, "", random, reports);
  if (options.order < 2) return reports;
  const std::vector<Variable<double>> constants(inputs.begin(), inputs.end());
  const Tensor<double> weights = random_like(f(constants).value(), random);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    compare_all(gradient_of(f, i, weights), inputs, options, 2, name_of(options, i), random,
                reports);
  }
  return reports;
}

}  // namespace

GradientReport check_gradients(const CheckedFunction& f, std::vector<Tensor<double>> inputs,
                               const GradientCheckOptions& options) {
  RandomSource random(options.seed);
  GradientReport report;
  for (int attempt = 0; attempt <= options.most_redraws; ++attempt) {
    try {
      report.arguments = compare_orders(f, inputs, options, random);
      return report;
    } catch (const KinkMet&) {
      ++report.kinks;
      if (!options.redraw) {
        report.failure =
            "the numeric derivative does not converge (a kink within the step?), and there is no "
            "way to redraw the inputs";
        return report;
      }
      inputs = options.redraw(random);
    }
  }
  report.failure = concatenate("the numeric derivative did not converge at any of ",
                               options.most_redraws + 1, " points");
  return report;
}

bool GradientReport::passed() const {
  return failure.empty() && !arguments.empty() &&
         std::all_of(arguments.begin(), arguments.end(),
                     [](const ArgumentReport& argument) { return argument.passed; });
}

std::string GradientReport::table() const {
  std::string text;
  for (const ArgumentReport& a : arguments) {
    char line[256];
    const std::string what = a.order == 1 ? a.argument : a.of + ", " + a.argument;
    std::snprintf(line, sizeof(line),
                  "  order %d  %-28s %8lld entries  abs %.1e  rel %.1e  worst at (%lld,%lld): "
                  "analytic % .9e numeric % .9e  %s\n",
                  a.order, what.c_str(), static_cast<long long>(a.entries), a.max_absolute_error,
                  a.max_relative_error, static_cast<long long>(a.row),
                  static_cast<long long>(a.column), a.analytic, a.numeric,
                  a.passed ? "ok" : "FAILED");
    text += line;
  }
  if (!failure.empty()) text += "  FAILED: " + failure + "\n";
  if (kinks > 0)
    text += concatenate("  ", kinks, " points redrawn because a step crossed a kink\n");
  return text;
}

}  // namespace atomtrack
