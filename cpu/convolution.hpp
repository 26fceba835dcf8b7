// SPDX-License-Identifier: MIT
#pragma once

#include "atomtrack/primitives/geometry.hpp"
#include "atomtrack/tensor/tensor.hpp"

namespace atomtrack::cpu {

// The ways to convolve on the host. Each does all three directions of the trilinear form <gy,
// conv2d(x, w)>; shapes are checked by the caller. `write` says whether the result is added to what
// is there.

/// 1x1 filters of stride 1 without padding: one matrix product per image.
template <class T>
struct PointwiseConvolution {
  static bool takes(const Shape& w, Conv2dGeometry geometry);
  static void forward(const Tensor<T>& x, const Tensor<T>& w, Conv2dGeometry geometry,
                      Tensor<T>& y);
  static void data_adjoint(const Tensor<T>& gy, const Tensor<T>& w, Conv2dGeometry geometry,
                           Write write, Tensor<T>& gx);
  static void filter_adjoint(const Tensor<T>& gy, const Tensor<T>& x, Conv2dGeometry geometry,
                             Write write, Tensor<T>& gw);
};

/// A single output channel (the classifier's filter w_2): a product of all filter taps with all
/// positions, then shifted sums. General kernels pad the one output channel to a vector of sixteen
/// and lose that factor.
template <class T>
struct TapsConvolution {
  static bool takes(const Shape& w, Conv2dGeometry geometry);
  static void forward(const Tensor<T>& x, const Tensor<T>& w, Conv2dGeometry geometry,
                      Tensor<T>& y);
  static void data_adjoint(const Tensor<T>& gy, const Tensor<T>& w, Conv2dGeometry geometry,
                           Write write, Tensor<T>& gx);
  static void filter_adjoint(const Tensor<T>& gy, const Tensor<T>& x, Conv2dGeometry geometry,
                             Write write, Tensor<T>& gw);
};

/// Anything: the input's windows as the columns of a matrix, and a matrix product per image.
template <class T>
struct ColumnsConvolution {
  static void forward(const Tensor<T>& x, const Tensor<T>& w, Conv2dGeometry geometry,
                      Tensor<T>& y);
  static void data_adjoint(const Tensor<T>& gy, const Tensor<T>& w, Conv2dGeometry geometry,
                           Write write, Tensor<T>& gx);
  static void filter_adjoint(const Tensor<T>& gy, const Tensor<T>& x, Conv2dGeometry geometry,
                             Write write, Tensor<T>& gw);
};

/// float through oneDNN (onednn_convolution.cpp); defined only where the build has it.
struct OneDnnConvolution {
  /// Full precision, and what else this CPU multiplies.
  static bool offers(Precision precision);
  static void forward(const Tensor<float>& x, const Tensor<float>& w, Conv2dGeometry geometry,
                      Tensor<float>& y);
  static void data_adjoint(const Tensor<float>& gy, const Tensor<float>& w, Conv2dGeometry geometry,
                           Write write, Tensor<float>& gx);
  static void filter_adjoint(const Tensor<float>& gy, const Tensor<float>& x,
                             Conv2dGeometry geometry, Write write, Tensor<float>& gw);
};

}  // namespace atomtrack::cpu
