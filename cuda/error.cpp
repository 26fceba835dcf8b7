// SPDX-License-Identifier: MIT
#include "cuda/error.hpp"

#include "atomtrack/tensor/error.hpp"

namespace atomtrack::cuda {

const char* advice(cudaError_t status) noexcept {
  switch (status) {
    case cudaErrorNoDevice:
      return ": the machine has no NVIDIA GPU that CUDA can see (CUDA_VISIBLE_DEVICES may hide "
             "it); use --device cpu";
    case cudaErrorInsufficientDriver:
      return ": no NVIDIA driver is installed, or it is older than the CUDA runtime needs; install "
             "a newer driver or use --device cpu";
    case cudaErrorStubLibrary:
      return ": the toolkit's stub of libcuda.so.1 was loaded instead of the driver's; take the "
             "stubs folder out of the loader's path";
    case cudaErrorMemoryAllocation:
      return ": the GPU's memory is used up; close other programs on it or choose another GPU";
    case cudaErrorNoKernelImageForDevice:
      return ": this build has no code for the GPU; build with CMAKE_CUDA_ARCHITECTURES=native";
    case cudaErrorInvalidDevice:
      return ": there is no GPU of that number";
    default:
      return "";
  }
}

void ignore(cudaError_t status) noexcept {
  if (status != cudaSuccess) static_cast<void>(cudaGetLastError());
}

void check(cudaError_t status, const char* call) {
  if (status == cudaSuccess) return;
  ignore(status);
  throw DeviceError(concatenate(call, ": ", cudaGetErrorString(status), " (CUDA error ",
                                static_cast<int>(status), ")", advice(status)));
}

void check(cublasStatus_t status, const char* call) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  const bool memory = status == CUBLAS_STATUS_ALLOC_FAILED;
  throw DeviceError(concatenate(call, ": ", cublasGetStatusString(status), " (cuBLAS status ",
                                static_cast<int>(status), ")",
                                memory ? advice(cudaErrorMemoryAllocation) : ""));
}

void check(cudnnStatus_t status, const char* call) {
  if (status == CUDNN_STATUS_SUCCESS) return;
  throw DeviceError(concatenate(call, ": ", cudnnGetErrorString(status), " (cuDNN status ",
                                static_cast<int>(status), ")"));
}

}  // namespace atomtrack::cuda
