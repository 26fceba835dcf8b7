// SPDX-License-Identifier: MIT
#pragma once

#include <cublas_v2.h>
#include <cuda_runtime_api.h>
#include <cudnn.h>

namespace atomtrack::cuda {

// Every call into CUDA, cuBLAS and cuDNN goes through one of these. Each throws DeviceError that
// names the call and says what its user can do; a sticky error of the runtime is cleared, so that
// the next call does not report it again.

void check(cudaError_t status, const char* call);
void check(cublasStatus_t status, const char* call);
void check(cudnnStatus_t status, const char* call);

/// For calls whose failure changes nothing: only clears it.
void ignore(cudaError_t status) noexcept;

/// What to do about an error of the runtime, or an empty text.
const char* advice(cudaError_t status) noexcept;

}  // namespace atomtrack::cuda
