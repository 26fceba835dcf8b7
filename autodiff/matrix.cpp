// SPDX-License-Identifier: MIT
#include "atomtrack/autodiff/matrix.hpp"

#include "atomtrack/autodiff/elementwise.hpp"

namespace atomtrack {

template <class T>
Variable<T> matmul(const Variable<T>& a, const Variable<T>& b, bool transpose_a, bool transpose_b) {
  require<ShapeError>(a.shape().rank() == 2 && b.shape().rank() == 2, "matmul: shapes ", a.shape(),
                      " and ", b.shape(), ": expected matrices");
  Tensor<T> result(Shape{a.extent(transpose_a ? 1 : 0), b.extent(transpose_b ? 0 : 1)}, a.device());
  primitives_for<T>(a.device())
      .gemm(transpose_a, transpose_b, a.value(), b.value(), Write::overwrite, result);
  return record(
      "matmul", std::move(result),
      [a, b, transpose_a, transpose_b](std::size_t input, const Variable<T>& g) {
        // C = op(A) op(B): d op(A) = G op(B)^T and d op(B) = op(A)^T G, transposed back where op
        // transposes.
        if (input == 0) {
          return transpose_a ? matmul(b, g, transpose_b, true) : matmul(g, b, false, !transpose_b);
        }
        return transpose_b ? matmul(g, a, true, transpose_a) : matmul(a, g, !transpose_a, false);
      },
      a, b);
}

template <class T>
Variable<T> linear(const Variable<T>& x, const Variable<T>& weight, const Variable<T>& bias) {
  return add(matmul(x, weight, false, true), bias);
}

template Variable<float> matmul(const Variable<float>&, const Variable<float>&, bool, bool);
template Variable<double> matmul(const Variable<double>&, const Variable<double>&, bool, bool);
template Variable<float> linear(const Variable<float>&, const Variable<float>&,
                                const Variable<float>&);
template Variable<double> linear(const Variable<double>&, const Variable<double>&,
                                 const Variable<double>&);

}  // namespace atomtrack
