// SPDX-License-Identifier: MIT
#pragma once

#include "atomtrack/primitives/geometry.hpp"
#include "atomtrack/tensor/tensor.hpp"
#include "cuda/context.hpp"

namespace atomtrack::cuda {

/// y = conv2d(x, w) on the calling thread's stream. No shape may be empty.
template <class T>
void convolve(Context& context, const Tensor<T>& x, const Tensor<T>& w, Conv2dGeometry geometry,
              Precision precision, Tensor<T>& y);

}  // namespace atomtrack::cuda
