// SPDX-License-Identifier: MIT
// The CUDA device language for a host compiler: included ahead of a .cu file, which is then
// compiled as C++. Types and the signatures of the runtime come from NVIDIA's own headers, so that
// a call that does not fit them is an error, and one that the emulation lacks does not link.
//
// What is left out on purpose, because the backend does not use it, and so does not compile or
// link: dynamic shared memory, __constant__ memory, textures, atomics but atomicAdd, the default
// stream. Kernels must have internal linkage (an anonymous namespace): shared memory is gathered in
// one section, and the linker cannot keep variables of several files' templates together in it.
#pragma once

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <source_location>
#include <tuple>
#include <type_traits>

#include "cuda_on_host/kernel_launch.hpp"

// NVIDIA's headers define these for host compilers too; __noinline__ even breaks the standard
// library's attributes of that name.
#undef __global__
#undef __device__
#undef __host__
#undef __shared__
#undef __constant__
#undef __forceinline__
#undef __noinline__
#undef __launch_bounds__
#undef __grid_constant__
#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __grid_constant__
// One variable for all blocks, which run one after another; the section is filled with NaNs before
// each of them.
#define __shared__ static __attribute__((section("cuda_on_host_shared")))

#define threadIdx (::cuda_on_host::current_thread->index)
#define blockIdx (::cuda_on_host::block_index)
#define blockDim (::cuda_on_host::block_extent)
#define gridDim (::cuda_on_host::grid_extent)

inline constexpr int warpSize = 32;

using std::max;
using std::min;

// ---- barriers ---------------------------------------------------------------------------------

// Barriers are told apart by their place in the source and not by their address: a compiler may
// copy a call into both sides of a branch.
inline void __syncthreads(std::source_location where = std::source_location::current()) {
  ::cuda_on_host::block_barrier(where);
}
inline void __syncwarp(unsigned mask = ~0U,
                       std::source_location where = std::source_location::current()) {
  ::cuda_on_host::warp_barrier(mask, where);
}
inline void __threadfence() {}
inline void __threadfence_block() {}

// ---- warp shuffles ------------------------------------------------------------------------------

namespace cuda_on_host {

inline int lane() {
  return current_thread->linear % warpSize;
}

/// `value` of lane `source` of the warp; every lane in `mask` must take part.
template <class T>
T shuffle(unsigned mask, T value, int source, const std::source_location& where) {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= sizeof(std::uint64_t));
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(T));
  bits = exchange_in_warp(mask, bits, source, where);
  std::memcpy(&value, &bits, sizeof(T));
  return value;
}

/// The lane to read from: `source` where it lies in the caller's segment of `width` lanes, else the
/// caller's own.
inline int in_segment(int source, int width) {
  return source >= 0 && source / width == lane() / width ? source : lane();
}

}  // namespace cuda_on_host

template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = warpSize,
              std::source_location where = std::source_location::current()) {
  const int segment = ::cuda_on_host::lane() / width * width;
  return ::cuda_on_host::shuffle(mask, value, segment + (source & (width - 1)), where);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = warpSize,
                   std::source_location where = std::source_location::current()) {
  const int source = ::cuda_on_host::lane() + static_cast<int>(delta);
  return ::cuda_on_host::shuffle(mask, value, ::cuda_on_host::in_segment(source, width), where);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = warpSize,
                 std::source_location where = std::source_location::current()) {
  const int source = ::cuda_on_host::lane() - static_cast<int>(delta);
  return ::cuda_on_host::shuffle(mask, value, ::cuda_on_host::in_segment(source, width), where);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int bits, int width = warpSize,
                  std::source_location where = std::source_location::current()) {
  const int source = ::cuda_on_host::lane() ^ bits;
  return ::cuda_on_host::shuffle(mask, value, ::cuda_on_host::in_segment(source, width), where);
}

// ---- atomics ------------------------------------------------------------------------------------

/// Threads are fibers of one host thread and change over at barriers only, so nothing can come in
/// between. Kept out of what the race detector instruments, which would take it for two plain
/// accesses.
template <class T>
__attribute__((noinline, no_sanitize("thread"))) T atomicAdd(T* address,
                                                             std::type_identity_t<T> value) {
  static_assert(std::is_same_v<T, float> || std::is_same_v<T, double> || std::is_same_v<T, int> ||
                    std::is_same_v<T, unsigned> || std::is_same_v<T, unsigned long long>,
                "CUDA has no atomicAdd of this type");
  if (::cuda_on_host::on_atomic != nullptr) ::cuda_on_host::on_atomic(address, sizeof(T));
  const T before = *address;
  *address = before + value;
  return before;
}

// ---- launches -----------------------------------------------------------------------------------

namespace cuda_on_host {

/// What `kernel<<<grid, block, 0, stream>>>(arguments...)` is under nvcc. Every pointer among the
/// arguments must be null or point into live device memory. In a structure passed by value pointers
/// cannot be told from other bits: only what points into freed device memory is noticed there, a
/// host pointer is not.
template <class... Parameters, class... Arguments>
void launch(const char* name, void (*kernel)(Parameters...), dim3 grid, dim3 block,
            cudaStream_t stream, Arguments... arguments) {
  static_assert((std::is_trivially_copyable_v<Parameters> && ...),
                "nvcc copies a kernel's arguments byte by byte");
  const std::tuple<Parameters...> held{static_cast<Parameters>(arguments)...};
  const auto check = [name, held] {
    int position = 0;
    const auto check_one = [&](const auto& argument) {
      using Argument = std::remove_cvref_t<decltype(argument)>;
      if constexpr (std::is_pointer_v<Argument>) {
        check_pointer_argument(argument, name, position);
      } else if constexpr (std::is_class_v<Argument>) {
        check_structure_argument(&argument, sizeof(argument), name, position);
      }
      ++position;
    };
    std::apply([&](const auto&... argument) { (check_one(argument), ...); }, held);
  };
  check();
  // Once more when it runs: a graph may have outlived its memory.
  enqueue_kernel(name, grid, block, stream, check, [kernel, held] { std::apply(kernel, held); });
}

}  // namespace cuda_on_host
