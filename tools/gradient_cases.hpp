// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "atomtrack/autodiff/gradient_check.hpp"

namespace atomtrack::tools {

/// One differentiable operation, or a composition of them, to be checked: shared by `atomtrack
/// gradcheck` and the tests.
struct GradientCase {
  std::string op;
  std::vector<std::string> arguments;
  /// Inputs away from kinks by more than the step.
  std::function<std::vector<Tensor<double>>(RandomSource&)> draw;
  CheckedFunction f;
  int order = 2;
  int projections = 0;
};

/// Every differentiable operation; the IoU predictor at reduced width (boxes and parameters); the
/// classifier's residuals; and "J^T J p", Algorithm 1's product against the numeric Jacobian. They
/// are computed on `device`; inputs and results are the host's.
std::vector<GradientCase> gradient_cases(Device device = Device::cpu());

/// Runs one case.
GradientReport check(const GradientCase& gradient_case);

}  // namespace atomtrack::tools
