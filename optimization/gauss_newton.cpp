// SPDX-License-Identifier: MIT
#include "atomtrack/optimization/gauss_newton.hpp"

namespace atomtrack {

void detail::check(const GaussNewtonOptions& options, std::size_t parameters) {
  require<ShapeError>(parameters > 0, "Gauss-Newton without parameters");
  require<InputError>(options.n_gn >= 0 && options.n_cg >= 1, "Gauss-Newton: n_gn = ", options.n_gn,
                      " and n_cg = ", options.n_cg, ": expected at least 0 and 1");
  require<InputError>(options.preconditioner.empty() || options.preconditioner.size() == parameters,
                      "Gauss-Newton: a preconditioner of ", options.preconditioner.size(),
                      " numbers for ", parameters, " parameter tensors");
  for (const double m : options.preconditioner) {
    require<InputError>(m > 0.0, "Gauss-Newton: a preconditioner of ", m,
                        ": expected a positive number");
  }
  require<InputError>(
      options.direction_forget_factor >= 0.0 && options.direction_forget_factor <= 1.0,
      "Gauss-Newton: direction_forget_factor = ", options.direction_forget_factor,
      ": expected 0 to 1");
}

template GaussNewtonSummary minimize_gauss_newton(const ResidualFunction<float>&,
                                                  std::vector<Tensor<float>>&,
                                                  const GaussNewtonOptions&,
                                                  ConjugateGradientState<float>*);
template GaussNewtonSummary minimize_gauss_newton(const ResidualFunction<double>&,
                                                  std::vector<Tensor<double>>&,
                                                  const GaussNewtonOptions&,
                                                  ConjugateGradientState<double>*);

}  // namespace atomtrack
