// SPDX-License-Identifier: MIT
// What the backend calls of cuBLAS.
#include <cblas.h>
#include <cublas_v2.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "cuda_on_host/fatal.hpp"
#include "cuda_on_host/faults.hpp"
#include "cuda_on_host/handles.hpp"

namespace cuda_on_host {
namespace {

Handles<cublasHandle_t>& handles() {
  static auto* instance = new Handles<cublasHandle_t>;
  return *instance;
}

cublasStatus_t refuse(const std::string& reason) {
  complain("gemm: " + reason);
  return CUBLAS_STATUS_INVALID_VALUE;
}

/// A matrix stored by columns, `step` elements apart, as doubles without gaps; stored [rows,
/// columns].
template <class T>
std::vector<double> dense(const T* data, std::int64_t rows, std::int64_t columns,
                          std::int64_t step) {
  std::vector<double> values;
  for (std::int64_t j = 0; j < columns; ++j)
    values.insert(values.end(), data + j * step, data + j * step + rows);
  return values;
}

/// As cuBLAS is called: matrices stored by columns, op(a) [m,k], op(b) [k,n], c [m,n].
template <class T>
struct Product {
  bool transpose_a, transpose_b;
  int m, n, k;
  T alpha;
  const T* a;
  int step_a;
  const T* b;
  int step_b;
  T beta;
  T* c;
  int step_c;
};

/// Sums are formed in double: the emulation must not add rounding of its own to what is compared.
template <class T>
void multiply(const Product<T>& of) {
  const int a_rows = of.transpose_a ? of.k : of.m, a_columns = of.transpose_a ? of.m : of.k;
  const int b_rows = of.transpose_b ? of.n : of.k, b_columns = of.transpose_b ? of.k : of.n;
  const std::vector<double> a = dense(of.a, a_rows, a_columns, of.step_a);
  const std::vector<double> b = dense(of.b, b_rows, b_columns, of.step_b);
  std::vector<double> sums(static_cast<std::size_t>(of.m) * static_cast<std::size_t>(of.n));
  cblas_dgemm(CblasColMajor, of.transpose_a ? CblasTrans : CblasNoTrans,
              of.transpose_b ? CblasTrans : CblasNoTrans, of.m, of.n, of.k, 1.0, a.data(),
              std::max(1, a_rows), b.data(), std::max(1, b_rows), 0.0, sums.data(),
              std::max(1, of.m));
  for (std::int64_t j = 0; j < of.n; ++j) {
    for (std::int64_t i = 0; i < of.m; ++i) {
      T& to = of.c[j * of.step_c + i];  // not read when beta is 0: it may hold NaNs
      const double kept = of.beta == T{0} ? 0.0 : static_cast<double>(of.beta) * to;
      to = static_cast<T>(of.alpha * sums[static_cast<std::size_t>(j * of.m + i)] + kept);
    }
  }
}

template <class T>
cublasStatus_t gemm(cublasHandle_t handle, cublasOperation_t flag_a, cublasOperation_t flag_b,
                    int m, int n, int k, const T* alpha, const T* a, int step_a, const T* b,
                    int step_b, const T* beta, T* c, int step_c) {
  if (!handles().knows(handle)) return CUBLAS_STATUS_NOT_INITIALIZED;
  const cudaStream_t stream = handles().stream(handle);
  if (stream == nullptr) return refuse("the handle has no stream");
  const bool transpose_a = flag_a != CUBLAS_OP_N, transpose_b = flag_b != CUBLAS_OP_N;
  if (m < 0 || n < 0 || k < 0) return refuse("a negative extent");
  if (step_a < std::max(1, transpose_a ? k : m)) return refuse("lda is too small");
  if (step_b < std::max(1, transpose_b ? n : k)) return refuse("ldb is too small");
  if (step_c < std::max(1, m)) return refuse("ldc is too small");
  // From the first element of a matrix to its last: what must be there.
  const auto held = [](const void* data, int rows, int columns, int step) {
    if (rows == 0 || columns == 0) return true;
    const std::int64_t elements = std::int64_t{step} * (columns - 1) + rows;
    return is_live(data, static_cast<std::size_t>(elements) * sizeof(T));
  };
  if (!held(a, transpose_a ? k : m, transpose_a ? m : k, step_a))
    return refuse("a is not all there");
  if (!held(b, transpose_b ? n : k, transpose_b ? k : n, step_b))
    return refuse("b is not all there");
  if (!held(c, m, n, step_c)) return refuse("c is not all there");
  // The factors by value: the caller's may be gone when the stream gets there.
  const Product<T> product{transpose_a, transpose_b, m,      n,     k, *alpha, a,
                           step_a,      b,           step_b, *beta, c, step_c};
  const cudaError_t status = enqueue(stream, [=] { multiply(product); });
  return status == cudaSuccess ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
}

}  // namespace

std::size_t live_cublas_handles() {
  return handles().count();
}

}  // namespace cuda_on_host

extern "C" {

cublasStatus_t cublasCreate_v2(cublasHandle_t* handle) {
  if (cuda_on_host::fault(__func__, __builtin_return_address(0)))
    return CUBLAS_STATUS_INTERNAL_ERROR;
  *handle = cuda_on_host::handles().create();
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasDestroy_v2(cublasHandle_t handle) {
  const bool fails = cuda_on_host::fault(__func__, __builtin_return_address(0));
  if (!cuda_on_host::handles().destroy(handle)) return CUBLAS_STATUS_NOT_INITIALIZED;
  return fails ? CUBLAS_STATUS_INTERNAL_ERROR : CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetStream_v2(cublasHandle_t handle, cudaStream_t stream) {
  if (cuda_on_host::fault(__func__, __builtin_return_address(0)))
    return CUBLAS_STATUS_INTERNAL_ERROR;
  return cuda_on_host::handles().set_stream(handle, stream) ? CUBLAS_STATUS_SUCCESS
                                                            : CUBLAS_STATUS_NOT_INITIALIZED;
}

cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t) {
  if (cuda_on_host::fault(__func__, __builtin_return_address(0)))
    return CUBLAS_STATUS_INTERNAL_ERROR;
  return cuda_on_host::handles().knows(handle) ? CUBLAS_STATUS_SUCCESS
                                               : CUBLAS_STATUS_NOT_INITIALIZED;
}

const char* cublasGetStatusString(cublasStatus_t status) {
  return status == CUBLAS_STATUS_SUCCESS ? "success" : "refused by the emulation of cuBLAS";
}

cublasStatus_t cublasSgemm_v2(cublasHandle_t handle, cublasOperation_t flag_a,
                              cublasOperation_t flag_b, int m, int n, int k, const float* alpha,
                              const float* a, int step_a, const float* b, int step_b,
                              const float* beta, float* c, int step_c) {
  if (cuda_on_host::fault(__func__, __builtin_return_address(0)))
    return CUBLAS_STATUS_INTERNAL_ERROR;
  return cuda_on_host::gemm(handle, flag_a, flag_b, m, n, k, alpha, a, step_a, b, step_b, beta, c,
                            step_c);
}

cublasStatus_t cublasDgemm_v2(cublasHandle_t handle, cublasOperation_t flag_a,
                              cublasOperation_t flag_b, int m, int n, int k, const double* alpha,
                              const double* a, int step_a, const double* b, int step_b,
                              const double* beta, double* c, int step_c) {
  if (cuda_on_host::fault(__func__, __builtin_return_address(0)))
    return CUBLAS_STATUS_INTERNAL_ERROR;
  return cuda_on_host::gemm(handle, flag_a, flag_b, m, n, k, alpha, a, step_a, b, step_b, beta, c,
                            step_c);
}

}  // extern "C"
