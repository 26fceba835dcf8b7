// SPDX-License-Identifier: MIT
#include <cblas.h>

#include <algorithm>

#include "atomtrack/primitives/checks.hpp"
#include "cpu/blas.hpp"
#include "cpu/cpu_primitives.hpp"
#include "cpu/parallel.hpp"

namespace atomtrack {
namespace {

CBLAS_TRANSPOSE flag(bool transpose) {
  return transpose ? CblasTrans : CblasNoTrans;
}
blasint narrow(std::int64_t extent) {
  return static_cast<blasint>(extent);
}

/// BLAS does not touch C when there is nothing to sum, not even to clear it.
template <class T>
bool nothing_to_sum(std::int64_t m, std::int64_t n, std::int64_t k, T beta, T* c,
                    std::int64_t ldc) {
  if (m > 0 && n > 0 && k > 0) return false;
  if (beta == T{0}) {
    for (std::int64_t i = 0; i < m; ++i) std::fill_n(c + i * ldc, n, T{0});
  }
  return true;
}

}  // namespace

namespace cpu {

void gemm(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k,
          const float* a, std::int64_t lda, const float* b, std::int64_t ldb, float beta, float* c,
          std::int64_t ldc) {
  if (nothing_to_sum(m, n, k, beta, c, ldc)) return;
#ifdef ATOMTRACK_WITH_ONEDNN
  onednn_gemm(transpose_a, transpose_b, m, n, k, a, lda, b, ldb, beta, c, ldc);
#else
  apply_thread_setting();
  cblas_sgemm(CblasRowMajor, flag(transpose_a), flag(transpose_b), narrow(m), narrow(n), narrow(k),
              1.0F, a, narrow(lda), b, narrow(ldb), beta, c, narrow(ldc));
#endif
}

void gemm(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k,
          const double* a, std::int64_t lda, const double* b, std::int64_t ldb, double beta,
          double* c, std::int64_t ldc) {
  if (nothing_to_sum(m, n, k, beta, c, ldc)) return;
  apply_thread_setting();
  cblas_dgemm(CblasRowMajor, flag(transpose_a), flag(transpose_b), narrow(m), narrow(n), narrow(k),
              1.0, a, narrow(lda), b, narrow(ldb), beta, c, narrow(ldc));
}

}  // namespace cpu

template <class T>
void CpuPrimitives<T>::gemm(bool transpose_a, bool transpose_b, const Tensor<T>& a,
                            const Tensor<T>& b, Write write, Tensor<T>& c) {
  const std::int64_t k = checks::gemm(transpose_a, transpose_b, a.shape(), b.shape(), c.shape());
  cpu::gemm(transpose_a, transpose_b, c.extent(0), c.extent(1), k, a.data(), a.extent(1), b.data(),
            b.extent(1), write == Write::accumulate ? T{1} : T{0}, c.data(), c.extent(1));
}

template void CpuPrimitives<float>::gemm(bool, bool, const Tensor<float>&, const Tensor<float>&,
                                         Write, Tensor<float>&);
template void CpuPrimitives<double>::gemm(bool, bool, const Tensor<double>&, const Tensor<double>&,
                                          Write, Tensor<double>&);

}  // namespace atomtrack
