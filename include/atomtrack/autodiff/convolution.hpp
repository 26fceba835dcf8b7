// SPDX-License-Identifier: MIT
#pragma once

#include "atomtrack/autodiff/variable.hpp"

namespace atomtrack {

/// Primitives::conv2d: x [N,Cin,H,W], w [Cout,Cin,Kh,Kw].
template <class T>
Variable<T> conv2d(const Variable<T>& x, const Variable<T>& w, Conv2dGeometry geometry = {});
/// The adjoint of conv2d in x, applied to gy [N,Cout,Ho,Wo]; the result has `x_shape`.
template <class T>
Variable<T> conv2d_data_adjoint(const Variable<T>& gy, const Variable<T>& w,
                                Conv2dGeometry geometry, const Shape& x_shape);
/// The adjoint of conv2d in w, applied to gy; the result has `w_shape`.
template <class T>
Variable<T> conv2d_filter_adjoint(const Variable<T>& gy, const Variable<T>& x,
                                  Conv2dGeometry geometry, const Shape& w_shape);

/// A convolution whose result has x's height and width, for a square filter of side k: zeros are
/// padded on every side by k/2, and an even k then drops the last row and column, so that result
/// cell i is centred between cells i-1 and i (the classifier's 4x4 filter, section 3.3).
template <class T>
Variable<T> conv2d_same(const Variable<T>& x, const Variable<T>& w);

extern template Variable<float> conv2d_data_adjoint(const Variable<float>&, const Variable<float>&,
                                                    Conv2dGeometry, const Shape&);
extern template Variable<double> conv2d_data_adjoint(const Variable<double>&,
                                                     const Variable<double>&, Conv2dGeometry,
                                                     const Shape&);
extern template Variable<float> conv2d_filter_adjoint(const Variable<float>&,
                                                      const Variable<float>&, Conv2dGeometry,
                                                      const Shape&);
extern template Variable<double> conv2d_filter_adjoint(const Variable<double>&,
                                                       const Variable<double>&, Conv2dGeometry,
                                                       const Shape&);
extern template Variable<float> conv2d_same(const Variable<float>&, const Variable<float>&);
extern template Variable<double> conv2d_same(const Variable<double>&, const Variable<double>&);

}  // namespace atomtrack
