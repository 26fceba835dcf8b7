// SPDX-License-Identifier: MIT
#include "atomtrack/primitives/backends.hpp"
#include "cuda/context.hpp"

namespace atomtrack {
namespace {

/// 13000 is CUDA 13.0.
std::string cuda_version(int number) {
  return concatenate(number / 1000, ".", number % 1000 / 10);
}

}  // namespace

std::string cuda_hardware(int index) {
  cuda::current_context(index);  // says what is wrong where there is no such GPU
  cudaDeviceProp properties{};
  cuda::check(cudaGetDeviceProperties(&properties, index), "cudaGetDeviceProperties");
  int driver = 0, runtime = 0;
  cuda::check(cudaDriverGetVersion(&driver), "cudaDriverGetVersion");
  cuda::check(cudaRuntimeGetVersion(&runtime), "cudaRuntimeGetVersion");
  return concatenate(properties.name, ", compute capability ", properties.major, ".",
                     properties.minor, ", ", properties.multiProcessorCount, " multiprocessors, ",
                     properties.totalGlobalMem >> 20, " MiB, driver for CUDA ",
                     cuda_version(driver), ", runtime ", cuda_version(runtime), ", cuDNN ",
                     cudnnGetVersion());
}

}  // namespace atomtrack
