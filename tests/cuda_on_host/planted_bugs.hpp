// SPDX-License-Identifier: MIT
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

namespace cuda_on_host::planted {

// Kernels with and without faults, for the emulator's own tests. All run on one block of `threads`
// threads unless said otherwise, out and in holding one value per thread.

constexpr int threads = 64;

/// out[i] = in[i - 1] (out[0] = in[0]) through shared memory, with the barrier in between or not.
void shift(cudaStream_t stream, const float* in, float* out, bool with_barrier);
/// out[i] = in[threads - 1 - i] in several blocks, 2-D: the values of each block of `threads`.
void reverse_rows(cudaStream_t stream, const float* in, float* out, int rows);
/// Half the threads wait at one barrier and half at another.
void divergent_barrier(cudaStream_t stream, float* out);
/// Half the threads end before the barrier that the others wait at.
void end_before_barrier(cudaStream_t stream, float* out);
/// out[i] = a sum over shared memory of which the last element was never written.
void uninitialised_shared(cudaStream_t stream, const float* in, float* out);
/// Every thread writes one element further than its own, the last one past the array.
void write_beside_shared(cudaStream_t stream, float* out);
/// out[0] = the sum of the first warp's values, by shuffles.
void warp_sum(cudaStream_t stream, const float* in, float* out);
/// A shuffle in which half the lanes that its mask names take no part.
void warp_sum_with_lanes_gone(cudaStream_t stream, const float* in, float* out);
/// out[0] += every thread's value, over `blocks` blocks.
void atomic_sum(cudaStream_t stream, const double* in, double* out, int blocks);
/// As atomic_sum, without the atomics.
void plain_sum(cudaStream_t stream, const double* in, double* out, int blocks);
/// out[i] = value for i in [first, first + threads).
void fill(cudaStream_t stream, float value, float* out, int first);
/// out[i] = i for bytes of their own, or out[i / 2] = i for bytes that two threads share.
void fill_bytes(cudaStream_t stream, std::uint8_t* out, bool shared);
/// As fill, but `block` threads wide: more than 1024 are too many.
void fill_wide(cudaStream_t stream, float* out, unsigned block);
/// As fill, the pointer in a structure.
void fill_in_structure(cudaStream_t stream, float value, float* out);

}  // namespace cuda_on_host::planted
