// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "atomtrack/autodiff/variable.hpp"

namespace atomtrack {

enum class Differentiable { no, yes };

/// The paper's BackProp(s, v) = ds/dv (section 3.2) for a scalar s and several variables v at once,
/// in their order and shapes.
///
/// With `Differentiable::yes` the results can be differentiated again, with respect to anything
/// that they depend on; with `no` they are constants, which is cheaper. A v that s does not depend
/// on gets zeros. Only nodes on paths from v to s are visited. Throws ShapeError unless s has one
/// element and every v needs a gradient (is a leaf or depends on one); throws Error naming the
/// operation when one on the way has no further derivative. Counts as one call for
/// `backprop_calls`.
template <class T>
std::vector<Variable<T>> backprop(const Variable<T>& s, std::span<const Variable<T>> v,
                                  Differentiable differentiable = Differentiable::yes);

template <class T>
Variable<T> backprop(const Variable<T>& s, const Variable<T>& v,
                     Differentiable differentiable = Differentiable::yes) {
  return backprop(s, std::span<const Variable<T>>(&v, 1), differentiable).front();
}

/// The same for a result y of any shape, given the gradient of the objective with respect to y: J^T
/// `gradient`.
template <class T>
std::vector<Variable<T>> backprop_from(const Variable<T>& y, const Variable<T>& gradient,
                                       std::span<const Variable<T>> v,
                                       Differentiable differentiable = Differentiable::yes);

/// How many back-propagations this thread has run: the abscissa of figure S3.
std::uint64_t backprop_calls();

extern template std::vector<Variable<float>> backprop(const Variable<float>&,
                                                      std::span<const Variable<float>>,
                                                      Differentiable);
extern template std::vector<Variable<double>> backprop(const Variable<double>&,
                                                       std::span<const Variable<double>>,
                                                       Differentiable);
extern template std::vector<Variable<float>> backprop_from(const Variable<float>&,
                                                           const Variable<float>&,
                                                           std::span<const Variable<float>>,
                                                           Differentiable);
extern template std::vector<Variable<double>> backprop_from(const Variable<double>&,
                                                            const Variable<double>&,
                                                            std::span<const Variable<double>>,
                                                            Differentiable);

}  // namespace atomtrack
