// SPDX-License-Identifier: MIT
// What device_language.hpp needs of the emulation at run time.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <source_location>

namespace cuda_on_host {

/// A thread of the block that is running.
struct DeviceThread {
  uint3 index{};
  int linear = 0;  // its number in the block
};

// threadIdx, blockIdx, blockDim and gridDim. One block runs at a time, whatever host thread asked
// for it, so these need no copy per host thread.
extern DeviceThread* current_thread;
extern uint3 block_index;
extern dim3 block_extent, grid_extent;

/// __syncthreads() at `where`: returns when all threads of the block have come to the same place.
void block_barrier(const std::source_location& where);
/// __syncwarp(mask) at `where`.
void warp_barrier(unsigned mask, const std::source_location& where);
/// The bits that lane `source` of the warp brought along to the same place.
std::uint64_t exchange_in_warp(unsigned mask, std::uint64_t bits, int source,
                               const std::source_location& where);

/// How far the device has come, for the race detector. Counted from 1 and never reset.
struct Progress {
  bool running = false;  // a kernel
  const char* kernel = "";
  std::uint32_t launch = 0, block = 0;
  std::uint32_t barrier = 0;     // __syncthreads() passed, and starts of a block
  std::uint16_t warps[32] = {};  // warp primitives that each warp has passed
};
extern Progress progress;
/// Told of every atomic access, where the race detector is linked; else null.
extern void (*on_atomic)(const void* address, std::size_t bytes);

/// Ends the process unless `pointer` is null or points into live device memory.
void check_pointer_argument(const void* pointer, const char* kernel, int position);
/// Ends the process if a structure holds a pointer to device memory that was freed.
void check_structure_argument(const void* structure, std::size_t bytes, const char* kernel,
                              int position);

/// Gives `stream` a kernel to run, `body` being one thread of it, after a call of `check`. A launch
/// that no GPU would take is remembered for cudaGetLastError as cudaErrorInvalidConfiguration.
void enqueue_kernel(const char* name, dim3 grid, dim3 block, cudaStream_t stream,
                    std::function<void()> check, std::function<void()> body);

}  // namespace cuda_on_host
