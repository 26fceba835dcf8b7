// SPDX-License-Identifier: MIT
#pragma once

#include "atomtrack/autodiff/variable.hpp"

namespace atomtrack {

/// op(a) op(b) of two matrices, op transposing where its flag is set: [M,K] [K,N] -> [M,N].
template <class T>
Variable<T> matmul(const Variable<T>& a, const Variable<T>& b, bool transpose_a = false,
                   bool transpose_b = false);

/// x W^T + bias: x [N,in], weight [out,in], bias [out] -> [N,out].
template <class T>
Variable<T> linear(const Variable<T>& x, const Variable<T>& weight, const Variable<T>& bias);

extern template Variable<float> matmul(const Variable<float>&, const Variable<float>&, bool, bool);
extern template Variable<double> matmul(const Variable<double>&, const Variable<double>&, bool,
                                        bool);
extern template Variable<float> linear(const Variable<float>&, const Variable<float>&,
                                       const Variable<float>&);
extern template Variable<double> linear(const Variable<double>&, const Variable<double>&,
                                        const Variable<double>&);

}  // namespace atomtrack
