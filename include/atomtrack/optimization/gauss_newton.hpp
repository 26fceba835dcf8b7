// SPDX-License-Identifier: MIT
#pragma once

#include <functional>

#include "atomtrack/optimization/vectors.hpp"

namespace atomtrack {

enum class RecordLosses { never, per_gauss_newton_step, per_conjugate_gradient_step };

/// Options of Algorithm 1; the defaults are the paper's listing.
struct GaussNewtonOptions {
  int n_gn = 1;   ///< N_GN, Gauss-Newton steps
  int n_cg = 10;  ///< N_CG, Conjugate Gradient iterations of each
  /// beta = g^T (g - g_previous) / rho instead of Fletcher and Reeves' g^T g / rho.
  bool polak_ribiere = false;
  /// One positive number m_k per parameter tensor: the gradient is divided by it before it becomes
  /// a direction (a diagonal preconditioner, constant per tensor). Empty: none.
  std::vector<double> preconditioner;
  /// 0: every Gauss-Newton step starts a fresh search. Otherwise the last direction is carried on,
  /// and rho divided by this factor in (0, 1].
  double direction_forget_factor = 0.0;
  /// The loss after each step costs an evaluation of r and a visit to the host.
  RecordLosses record_losses = RecordLosses::never;
};

struct GaussNewtonSummary {
  std::vector<double> losses;  ///< ||r(w)||^2 at the start and then as recorded; empty if never
  std::uint64_t backprop_calls = 0;
  int conjugate_gradient_steps = 0;
  /// Whether the last gradient vanished, so that further steps were of length zero. Known only when
  /// losses are recorded.
  bool converged = false;
};

/// What a search direction is carried on from when `direction_forget_factor` is not 0. Value type;
/// empty at first.
template <class T>
struct ConjugateGradientState {
  std::vector<Tensor<T>> direction;          ///< p
  std::vector<Tensor<T>> previous_gradient;  ///< g of the step before
  Tensor<double> rho;
};

/// Algorithm 1: minimises ||r(w)||^2 by Gauss-Newton steps, each solved by Conjugate Gradient with
/// two BackProp calls per iteration. `w` is updated in place (its tensors' elements). `residuals`
/// is called once per Gauss-Newton step (and once per recorded loss) with leaves; it returns any
/// number of tensors. Nothing but a recorded loss visits the host. Throws InputError for options
/// out of range, ShapeError if `w` is empty. Source: the paper, section 3.2 and Algorithm 1.
template <class T>
GaussNewtonSummary minimize_gauss_newton(const ResidualFunction<T>& residuals,
                                         std::vector<Tensor<T>>& w,
                                         const GaussNewtonOptions& options,
                                         ConjugateGradientState<T>* state = nullptr);

/// J^T J p at w, the product that Conjugate Gradient needs, by the same two BackProp calls.
template <class T>
std::vector<Tensor<T>> gauss_newton_product(const ResidualFunction<T>& residuals,
                                            std::span<const Tensor<T>> w,
                                            const std::vector<Tensor<T>>& p);

// ---- The listing ----

namespace detail {

/// r(w), u and h = J^T u of one Gauss-Newton step: what J^T J p is computed from.
template <class T>
struct Linearization {
  Linearization(const ResidualFunction<T>& residuals, std::span<const Tensor<T>> parameters)
      : w(leaves(parameters)),
        r(residuals(w)),
        u(leaves<T>(values(r))),
        h(backprop(inner_sum(r, u), std::span(std::as_const(w)))) {}

  /// q_2 = J^T (J p), lines 8 and 9.
  Vector<T> product(const Vector<T>& p) const {
    const auto q1 = backprop(inner_sum(h, constants(p)), std::span(u),
                             Differentiable::no);  // J p: p is constant
    return values(
        backprop(inner_sum(r, q1), std::span(w), Differentiable::no));  // J^T q1: q1 is constant
  }

  std::vector<Variable<T>> w, r, u, h;
};

/// z = M^-1 g.
template <class T>
void precondition(const std::vector<double>& m, const Vector<T>& g, Vector<T>& z) {
  for (std::size_t k = 0; k < g.size(); ++k) {
    primitives_for<T>(g[k].device())
        .map({MapKind::scale, m.empty() ? 1.0 : 1.0 / m[k]}, g[k], z[k]);
  }
}

/// Takes the last call's direction up again, its rho divided by the forget factor.
template <class T>
void resume(const ConjugateGradientState<T>& state, double forget_factor, Vector<T>& p,
            Vector<T>& g_previous, DeviceScalar& rho) {
  if (state.direction.empty()) return;
  copy(state.direction, p);
  copy(state.previous_gradient, g_previous);
  primitives_for<double>(rho.device()).map({MapKind::scale, 1.0 / forget_factor}, state.rho, rho);
}

/// ||r(w + step)||^2.
template <class T>
double loss_after(const ResidualFunction<T>& residuals, const Vector<T>& w, const Vector<T>& step) {
  Vector<T> there = zeros_like<T>(w);
  copy(w, there);
  axpy(1.0, DeviceScalar::scalar(1.0, w.front().device()), step, there);
  return loss<T>(residuals, there);
}

void check(const GaussNewtonOptions& options, std::size_t parameters);

}  // namespace detail

template <class T>
GaussNewtonSummary minimize_gauss_newton(const ResidualFunction<T>& residuals,
                                         std::vector<Tensor<T>>& w,
                                         const GaussNewtonOptions& options,
                                         ConjugateGradientState<T>* state) {
  using namespace detail;
  check(options, w.size());
  const Device device = w.front().device();
  const std::uint64_t calls_before = backprop_calls();
  const bool carry_on = state != nullptr && options.direction_forget_factor > 0.0;
  GaussNewtonSummary summary;
  if (options.record_losses != RecordLosses::never) summary.losses.push_back(loss<T>(residuals, w));

  const DeviceScalar zero = DeviceScalar::scalar(0.0, device);
  const DeviceScalar one = DeviceScalar::scalar(1.0, device);
  DeviceScalar rho_1(Shape{}, device), rho_2(Shape{}, device), alpha(Shape{}, device),
      beta(Shape{}, device), overlap(Shape{}, device);
  Vector<T> z = zeros_like<T>(w);

  // The numbered comments are the lines of the paper's listing.
  for (int i = 1; i <= options.n_gn; ++i) {   //  1: for i = 1 .. N_GN
    const Linearization<T> at(residuals, w);  //  2: r = r(w), u = r
                                              //  3: h = BackProp(r^T u, w)
    Vector<T> g = zeros_like<T>(w);
    axpy(-1.0, one, values(at.h), g);                 //  4: g = -h,
    Vector<T> p = zeros_like<T>(w);                   //     p = 0,
    primitives_for<double>(device).copy(one, rho_1);  //     rho_1 = 1,
    Vector<T> step = zeros_like<T>(w);                //     Delta w = 0
    Vector<T> g_previous = zeros_like<T>(w);
    if (carry_on) resume(*state, options.direction_forget_factor, p, g_previous, rho_1);
    for (int n = 1; n <= options.n_cg; ++n) {  //  5: for n = 1 .. N_CG
      const bool last = n == options.n_cg;
      precondition(options.preconditioner, g, z);
      std::swap(rho_2, rho_1);  //  6: rho_2 = rho_1,
      dot(g, z, rho_1);         //     rho_1 = g^T g,
      primitives_for<double>(device).copy(rho_1, beta);
      if (options.polak_ribiere) {
        dot(g_previous, z, overlap);
        combine(Combination::subtract, beta, overlap, beta);
        copy(g, g_previous);
      }
      combine(Combination::divide_or_zero, beta, rho_2, beta);  // beta = rho_1 / rho_2
      combine(Combination::maximum, beta, zero, beta);
      xpby(z, beta, p);                     //  7: p = g + beta p
      const Vector<T> q_2 = at.product(p);  //  8: q_1 = BackProp(h^T p, u)
                                            //  9: q_2 = BackProp(r^T q_1, w)
      dot(q_2, p, alpha);
      combine(Combination::divide_or_zero, rho_1, alpha, alpha);  // 10: alpha = rho_1 / q_2^T p
      if (!last || carry_on) axpy(-1.0, alpha, q_2, g);           // 11: g = g - alpha q_2
      axpy(1.0, alpha, p, step);                                  // 12: Delta w = Delta w + alpha p
      ++summary.conjugate_gradient_steps;
      if (options.record_losses == RecordLosses::per_conjugate_gradient_step && !last) {
        summary.losses.push_back(loss_after<T>(residuals, w, step));
      }
    }                         // 13: end for
    axpy(1.0, one, step, w);  // 14: w = w + Delta w
    if (options.record_losses != RecordLosses::never) {
      summary.losses.push_back(loss<T>(residuals, w));
      summary.converged = rho_1.item() == 0.0;
    }
    if (carry_on) *state = {std::move(p), std::move(g_previous), rho_1.clone()};
  }  // 15: end for
  summary.backprop_calls = backprop_calls() - calls_before;
  return summary;
}

template <class T>
std::vector<Tensor<T>> gauss_newton_product(const ResidualFunction<T>& residuals,
                                            std::span<const Tensor<T>> w,
                                            const std::vector<Tensor<T>>& p) {
  return detail::Linearization<T>(residuals, w).product(p);
}

extern template GaussNewtonSummary minimize_gauss_newton(const ResidualFunction<float>&,
                                                         std::vector<Tensor<float>>&,
                                                         const GaussNewtonOptions&,
                                                         ConjugateGradientState<float>*);
extern template GaussNewtonSummary minimize_gauss_newton(const ResidualFunction<double>&,
                                                         std::vector<Tensor<double>>&,
                                                         const GaussNewtonOptions&,
                                                         ConjugateGradientState<double>*);

}  // namespace atomtrack
