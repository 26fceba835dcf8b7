// SPDX-License-Identifier: MIT
#pragma once

#include "atomtrack/optimization/vectors.hpp"

namespace atomtrack {

struct GradientDescentOptions {
  int steps = 1;          ///< BackProp calls
  double rate = 0.1;      ///< step length
  double momentum = 0.9;  ///< in [0, 1)
  bool record_losses = false;
};

struct GradientDescentSummary {
  std::vector<double> losses;  ///< ||r(w)||^2 at the start and after every step, if recorded
  std::uint64_t backprop_calls = 0;
};

/// As many BackProp calls as Algorithm 1 makes: one per Gauss-Newton step and two per Conjugate
/// Gradient iteration.
inline int equal_budget(int n_gn, int n_cg) {
  return n_gn * (1 + 2 * n_cg);
}

/// Gradient descent with momentum on the same problem, for comparison (section 4.2, GD and GD++;
/// figure S3): d = momentum d - rate dL/dw, w = w + d, with L(w) = ||r(w)||^2. Updates w in place.
/// Throws InputError for options out of range.
template <class T>
GradientDescentSummary minimize_gradient_descent(const ResidualFunction<T>& residuals,
                                                 std::vector<Tensor<T>>& w,
                                                 const GradientDescentOptions& options);

extern template GradientDescentSummary minimize_gradient_descent(const ResidualFunction<float>&,
                                                                 std::vector<Tensor<float>>&,
                                                                 const GradientDescentOptions&);
extern template GradientDescentSummary minimize_gradient_descent(const ResidualFunction<double>&,
                                                                 std::vector<Tensor<double>>&,
                                                                 const GradientDescentOptions&);

}  // namespace atomtrack
