// SPDX-License-Identifier: MIT
#include "atomtrack/tracker/convergence.hpp"

#include "tracker/tracker_implementation.hpp"

namespace atomtrack {

ConvergenceTrace first_frame_convergence(const Model& model, const Options& options,
                                         const ImageView& image, const Box& box) {
  Tracker::Implementation tracker(model, options);
  FirstFrameProblem problem = tracker.classifier_problem(image, box);
  std::vector<Tensor<float>> start;
  for (const Tensor<float>& w : problem.w) start.push_back(w.clone());

  ConvergenceTrace trace;
  problem.algorithm1.record_losses = RecordLosses::per_conjugate_gradient_step;
  const auto by_algorithm1 =
      minimize_gauss_newton(problem.residuals, problem.w, problem.algorithm1);
  const int per_step = equal_budget(1, problem.algorithm1.n_cg);
  for (std::size_t i = 0; i < by_algorithm1.losses.size(); ++i) {
    // The first loss is the start's; then n_cg of each Gauss-Newton step, which begins with one
    // call of its own.
    const int n_cg = problem.algorithm1.n_cg, k = static_cast<int>(i);
    const int calls = k == 0 ? 0 : (k - 1) / n_cg * per_step + 1 + 2 * ((k - 1) % n_cg + 1);
    trace.algorithm1.push_back({calls, by_algorithm1.losses[i]});
  }
  problem.gradient_descent.record_losses = true;
  const auto by_descent =
      minimize_gradient_descent(problem.residuals, start, problem.gradient_descent);
  for (std::size_t i = 0; i < by_descent.losses.size(); ++i)
    trace.gradient_descent.push_back({static_cast<int>(i), by_descent.losses[i]});
  return trace;
}

}  // namespace atomtrack
