// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

#include "cuda/context.hpp"

namespace atomtrack::cuda {

constexpr int block_threads = 256;

/// Blocks of `block_threads` threads for `count` items, at most what keeps a large GPU busy:
/// kernels step through the rest.
inline dim3 grid_for(std::int64_t count) {
  constexpr std::int64_t most = 65535;
  const std::int64_t blocks = (count + block_threads - 1) / block_threads;
  return dim3(static_cast<unsigned>(blocks < 1 ? 1 : (blocks > most ? most : blocks)));
}

/// Runs `kernel` on the calling thread's stream: the one place where kernels are launched. The same
/// call compiles under nvcc and, for the tests, under a host compiler.
template <class... Parameters, class... Arguments>
void launch(const char* name, void (*kernel)(Parameters...), dim3 grid, dim3 block,
            const Context& context, Arguments... arguments) {
#ifdef __CUDACC__
  kernel<<<grid, block, 0, context.stream()>>>(static_cast<Parameters>(arguments)...);
#else
  cuda_on_host::launch(name, kernel, grid, block, context.stream(),
                       static_cast<Parameters>(arguments)...);
#endif
  check(cudaGetLastError(), name);
}

#if defined(__CUDACC__) || defined(ATOMTRACK_CUDA_ON_HOST)
/// This thread's first item of a loop over all of the grid's threads, and the step to its next.
__device__ inline std::int64_t first_item() {
  return static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}
__device__ inline std::int64_t item_step() {
  return static_cast<std::int64_t>(gridDim.x) * blockDim.x;
}
#endif

}  // namespace atomtrack::cuda
