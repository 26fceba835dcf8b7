// SPDX-License-Identifier: MIT
#pragma once

#include <functional>

#include "atomtrack/autodiff/operations.hpp"

namespace atomtrack {

template <class T>
struct AscentStep {
  Tensor<T> boxes;    ///< [N,K,4] after the step
  Tensor<T> overlap;  ///< [N,K] predicted before it
};

/// One step of gradient ascent on the predicted overlap (section 3.3) from boxes [N,K,4] (x, y,
/// width, height): to B + length (w, h, w, h) dIoU/dB, as the released tracker steps. `predict`
/// gives the overlap [N,K] of boxes [N,K,4]; `length` broadcasts to [N,K,4], undefined being 1.
/// Nothing is remembered for differentiation, and the boxes' device is not waited for.
template <class T>
AscentStep<T> ascended(const std::function<Variable<T>(const Variable<T>&)>& predict,
                       const Tensor<T>& boxes, const Tensor<T>& length = {}) {
  const auto at = Variable<T>::leaf(boxes);
  const Variable<T> predicted = predict(at);
  Variable<T> slope = backprop(sum(predicted), at, Differentiable::no);
  if (length.defined()) slope = slope * Variable<T>(length);
  const Variable<T> here(boxes);
  const Variable<T> size = slice(here, 2, 2, 2);
  return {(here + slope * concat({size, size}, 2)).value(), predicted.value()};
}

}  // namespace atomtrack
