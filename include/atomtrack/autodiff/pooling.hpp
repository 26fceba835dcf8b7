// SPDX-License-Identifier: MIT
#pragma once

#include "atomtrack/autodiff/variable.hpp"

namespace atomtrack {

/// The maximum of each window; its gradient goes to the first maximum.
template <class T>
Variable<T> max_pool2d(const Variable<T>& x, Pool2dGeometry geometry);
/// The mean of each window, padding counted as zeros.
template <class T>
Variable<T> average_pool2d(const Variable<T>& x, Pool2dGeometry geometry);

extern template Variable<float> max_pool2d(const Variable<float>&, Pool2dGeometry);
extern template Variable<double> max_pool2d(const Variable<double>&, Pool2dGeometry);
extern template Variable<float> average_pool2d(const Variable<float>&, Pool2dGeometry);
extern template Variable<double> average_pool2d(const Variable<double>&, Pool2dGeometry);

}  // namespace atomtrack
