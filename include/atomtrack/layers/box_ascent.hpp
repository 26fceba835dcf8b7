// SPDX-License-Identifier: MIT
#pragma once

#include <functional>

#include "atomtrack/autodiff/operations.hpp"

namespace atomtrack {

/// One step of gradient ascent on the predicted overlap (section 3.3) for boxes [N,K,4] (x, y,
/// width, height): B + length (w, h, w, h) dIoU/dB, as the released tracker steps. `predict` gives
/// the overlap [N,K] of boxes [N,K,4]; nothing is remembered for differentiation.
template <class T>
Tensor<T> ascended(const std::function<Variable<T>(const Variable<T>&)>& predict,
                   const Tensor<T>& boxes, double length = 1.0) {
  const auto at = Variable<T>::leaf(boxes);
  const Variable<T> slope = backprop(sum(predict(at)), at, Differentiable::no);
  const Variable<T> here(boxes);
  const Variable<T> size = slice(here, 2, 2, 2);
  return (here + concat({size, size}, 2) * slope * length).value();
}

}  // namespace atomtrack
