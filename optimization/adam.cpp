// SPDX-License-Identifier: MIT
#include "atomtrack/optimization/adam.hpp"

#include <cmath>

#include "atomtrack/primitives/checks.hpp"
#include "atomtrack/primitives/primitives.hpp"

namespace atomtrack {

template <class T>
void Adam<T>::step(std::span<Tensor<T>> parameters, std::span<const Tensor<T>> gradients) {
  require<ShapeError>(parameters.size() == gradients.size(), "Adam: ", gradients.size(),
                      " gradients for ", parameters.size(), " parameters");
  if (state_.steps == 0) {
    for (const Tensor<T>& parameter : parameters) {
      state_.first.push_back(Tensor<T>::zeros(parameter.shape(), parameter.device()));
      state_.second.push_back(Tensor<T>::zeros(parameter.shape(), parameter.device()));
    }
  }
  require<ShapeError>(state_.first.size() == parameters.size(), "Adam: ", parameters.size(),
                      " parameters, before ", state_.first.size());
  ++state_.steps;
  const auto t = static_cast<double>(state_.steps);
  const double correction1 = 1.0 - std::pow(options_.beta1, t);
  const double correction2 = 1.0 - std::pow(options_.beta2, t);
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    checks::same_shape("Adam", state_.first[k].shape(), parameters[k].shape());
    checks::same_shape("Adam", parameters[k].shape(), gradients[k].shape());
    const Device device = parameters[k].device();
    Primitives<T>& primitives = primitives_for<T>(device);
    const Tensor<double> one = Tensor<double>::scalar(1.0, device);
    Tensor<T>& m = state_.first[k];
    Tensor<T>& v = state_.second[k];
    Tensor<T> scratch(parameters[k].shape(), device);
    primitives.map({MapKind::scale, options_.beta1}, m, m);
    primitives.axpy(1.0 - options_.beta1, one, gradients[k], m);
    primitives.map({MapKind::square}, gradients[k], scratch);
    primitives.map({MapKind::scale, options_.beta2}, v, v);
    primitives.axpy(1.0 - options_.beta2, one, scratch, v);
    primitives.map({MapKind::scale, 1.0 / correction2}, v, scratch);
    primitives.map({MapKind::sqrt}, scratch, scratch);
    primitives.map({MapKind::offset, options_.epsilon}, scratch, scratch);
    primitives.combine(Combination::divide, m, scratch, scratch);
    primitives.axpy(-options_.rate / correction1, one, scratch, parameters[k]);
  }
}

template class Adam<float>;
template class Adam<double>;

}  // namespace atomtrack
