// SPDX-License-Identifier: MIT
#pragma once

#include <compare>

#include "cuda/context.hpp"
#include "cuda/descriptors.hpp"

namespace atomtrack::cuda {

/// A convolution or one of its adjoints, as cuDNN sees it.
template <class T>
struct Convolution {
  Convolution(const Shape& x, const Shape& w, const Shape& y, Conv2dGeometry of);

  Shape x_shape, w_shape;
  Conv2dGeometry geometry;
  TensorDescriptor x, y;
  FilterDescriptor w;
  ConvolutionDescriptor operation;
};

template <class Algorithm>
struct Choice {
  Algorithm algorithm{};
  std::size_t workspace = 0;  // bytes
};

// The algorithm that cuDNN's heuristics put first among those that give the same bits on every run,
// compute in the precision asked for or better and need at most `workspace_limit` bytes; asked for
// once per thread and problem. Throws DeviceError when there is none.

constexpr std::size_t workspace_limit = std::size_t{512} << 20;

template <class T>
Choice<cudnnConvolutionFwdAlgo_t> choose_forward(Context& context, const Convolution<T>& of);
template <class T>
Choice<cudnnConvolutionBwdDataAlgo_t> choose_data(Context& context, const Convolution<T>& of);
template <class T>
Choice<cudnnConvolutionBwdFilterAlgo_t> choose_filter(Context& context, const Convolution<T>& of);

}  // namespace atomtrack::cuda
