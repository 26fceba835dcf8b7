// SPDX-License-Identifier: MIT
#include "atomtrack/optimization/gradient_descent.hpp"

namespace atomtrack {

template <class T>
GradientDescentSummary minimize_gradient_descent(const ResidualFunction<T>& residuals,
                                                 std::vector<Tensor<T>>& w,
                                                 const GradientDescentOptions& options) {
  using namespace detail;
  require<ShapeError>(!w.empty(), "gradient descent without parameters");
  require<InputError>(options.steps >= 0 && options.rate >= 0.0 && options.momentum >= 0.0 &&
                          options.momentum < 1.0,
                      "gradient descent: steps = ", options.steps, ", rate = ", options.rate,
                      ", momentum = ", options.momentum,
                      ": expected 0 or more, and momentum below 1");
  const Device device = w.front().device();
  const DeviceScalar one = DeviceScalar::scalar(1.0, device);
  const DeviceScalar momentum = DeviceScalar::scalar(options.momentum, device);
  const std::uint64_t calls_before = backprop_calls();
  GradientDescentSummary summary;
  if (options.record_losses) summary.losses.push_back(loss<T>(residuals, w));
  Vector<T> d = zeros_like<T>(w);
  for (int step = 0; step < options.steps; ++step) {
    const std::vector<Variable<T>> parameters = leaves<T>(w);
    const std::vector<Variable<T>> r = residuals(parameters);
    const Vector<T> gradient =
        values(backprop(inner_sum(r, r), std::span(parameters), Differentiable::no));
    Vector<T> downhill = zeros_like<T>(w);
    axpy(-options.rate, one, gradient, downhill);
    xpby(downhill, momentum, d);
    axpy(1.0, one, d, w);
    if (options.record_losses) summary.losses.push_back(loss<T>(residuals, w));
  }
  summary.backprop_calls = backprop_calls() - calls_before;
  return summary;
}

template GradientDescentSummary minimize_gradient_descent(const ResidualFunction<float>&,
                                                          std::vector<Tensor<float>>&,
                                                          const GradientDescentOptions&);
template GradientDescentSummary minimize_gradient_descent(const ResidualFunction<double>&,
                                                          std::vector<Tensor<double>>&,
                                                          const GradientDescentOptions&);

}  // namespace atomtrack
