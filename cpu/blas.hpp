// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace atomtrack::cpu {

/// C [m,n] = op(A) op(B) + beta C on dense row-major matrices with the given leading dimensions
/// (elements per row). Inside a parallel region it runs on the calling thread alone.
void gemm(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k,
          const float* a, std::int64_t lda, const float* b, std::int64_t ldb, float beta, float* c,
          std::int64_t ldc);
void gemm(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k,
          const double* a, std::int64_t lda, const double* b, std::int64_t ldb, double beta,
          double* c, std::int64_t ldc);

/// The same in float through oneDNN, where the build has it: its kernels keep their speed on the
/// thin matrices of tracking (ten boxes, sixteen filter taps), where OpenBLAS falls to a quarter of
/// it (docs/benchmarks.md).
void onednn_gemm(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k,
                 const float* a, std::int64_t lda, const float* b, std::int64_t ldb, float beta,
                 float* c, std::int64_t ldc);

}  // namespace atomtrack::cpu
