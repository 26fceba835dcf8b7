// SPDX-License-Identifier: MIT
#pragma once

#include "atomtrack/autodiff/variable.hpp"

namespace atomtrack {

/// The mean of (prediction - target)^2, of shape [].
template <class T>
Variable<T> mean_squared_error(const Variable<T>& prediction, const Variable<T>& target);

/// x * mask, where the mask broadcasts to x and holds 0 or 1 / (1 - p).
template <class T>
Variable<T> dropout(const Variable<T>& x, const Variable<T>& mask);

extern template Variable<float> mean_squared_error(const Variable<float>&, const Variable<float>&);
extern template Variable<double> mean_squared_error(const Variable<double>&,
                                                    const Variable<double>&);
extern template Variable<float> dropout(const Variable<float>&, const Variable<float>&);
extern template Variable<double> dropout(const Variable<double>&, const Variable<double>&);

}  // namespace atomtrack
