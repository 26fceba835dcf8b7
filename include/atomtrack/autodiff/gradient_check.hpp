// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "atomtrack/autodiff/operations.hpp"
#include "atomtrack/tensor/random.hpp"

namespace atomtrack {

/// A function to check: any number of inputs, one result of any shape.
using CheckedFunction = std::function<Variable<double>(std::span<const Variable<double>> inputs)>;

struct GradientCheckOptions {
  /// 1: the Jacobian. 2: also the Jacobians of the gradient of a random weighting of the result, by
  /// recursion.
  int order = 1;
  /// The largest error, as `ArgumentReport::max_relative_error` measures it, that passes: for order
  /// 1 and 2.
  double first_order_tolerance = 1e-7;
  double second_order_tolerance = 1e-5;
  /// The first and largest step of the numeric derivative, in units of the inputs. Ridders' method
  /// shrinks it by 1.4 at a time and extrapolates to zero.
  double step = 0.02;
  /// 0: whole Jacobians, a numeric derivative per input element. Otherwise so many random
  /// projections u^T J v instead: cheap for networks with many parameters.
  int projections = 0;
  /// Draws inputs anew. Asked when the numeric derivative does not converge, which a kink within
  /// the step causes; without it such a point fails the check. Either way it is counted in
  /// `GradientReport::kinks`.
  std::function<std::vector<Tensor<double>>(RandomSource&)> redraw;
  int most_redraws = 20;
  std::vector<std::string> argument_names;  ///< for the report; "0", "1", ... when missing
  std::uint64_t seed = 1;
};

/// What was found for one input and one order. An entry (row, column) is d result[row] / d
/// input[column], positions in row-major order; with projections it is the number of the
/// projection. For order 2 the result is the gradient with respect to some input (`of`).
struct ArgumentReport {
  std::string argument;
  std::string of;  ///< order 2: the input whose gradient was differentiated
  int order = 1;
  double max_absolute_error = 0.0;
  /// The largest |a - n| / max(|a|, |n|, 1e-3 ||J||, 1e-6), with a the analytic and n the numeric
  /// entry and ||J|| the maximum absolute row sum.
  double max_relative_error = 0.0;
  std::int64_t row = 0, column = 0;      ///< of the worst entry
  double analytic = 0.0, numeric = 0.0;  ///< of the worst entry
  std::int64_t entries = 0;              ///< compared
  bool passed = false;
};

struct GradientReport {
  std::vector<ArgumentReport> arguments;
  int kinks = 0;        ///< points given up because a step crossed a kink
  std::string failure;  ///< why nothing could be compared, if so

  bool passed() const;
  std::string table() const;  ///< a line per argument and order, the worst entry included
};

/// Compares the gradients that back-propagation gives with numeric ones (central differences,
/// Ridders' extrapolation), in double, for every input. Reports; throws only what `f` throws.
GradientReport check_gradients(const CheckedFunction& f, std::vector<Tensor<double>> inputs,
                               const GradientCheckOptions& options = {});

}  // namespace atomtrack
