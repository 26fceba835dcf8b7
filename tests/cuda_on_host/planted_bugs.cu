// SPDX-License-Identifier: MIT
#include "cuda_on_host/planted_bugs.hpp"

namespace cuda_on_host::planted {
namespace {

__global__ void shift_kernel(const float* in, float* out, bool with_barrier) {
  __shared__ float shares[threads];
  const int i = static_cast<int>(threadIdx.x);
  shares[i] = in[i];
  if (with_barrier) __syncthreads();
  out[i] = shares[i > 0 ? i - 1 : 0];
}

__global__ void reverse_rows_kernel(const float* in, float* out) {
  __shared__ float shares[8][threads / 8];
  const int i = static_cast<int>(threadIdx.y * blockDim.x + threadIdx.x);
  const int row = static_cast<int>(blockIdx.y * gridDim.x + blockIdx.x) * threads;
  shares[threadIdx.y][threadIdx.x] = in[row + i];
  __syncthreads();
  out[row + i] = shares[blockDim.y - 1 - threadIdx.y][blockDim.x - 1 - threadIdx.x];
}

__global__ void divergent_barrier_kernel(float* out) {
  if (threadIdx.x < threads / 2) {
    __syncthreads();
  } else {
    __syncthreads();
  }
  out[threadIdx.x] = 1.0F;
}

__global__ void end_before_barrier_kernel(float* out) {
  if (threadIdx.x >= threads / 2) return;
  __syncthreads();
  out[threadIdx.x] = 1.0F;
}

__global__ void uninitialised_shared_kernel(const float* in, float* out) {
  __shared__ float shares[threads + 1];
  shares[threadIdx.x] = in[threadIdx.x];
  __syncthreads();
  float sum = 0.0F;
  for (int i = 0; i <= threads; ++i) sum += shares[i];
  out[threadIdx.x] = sum;
}

__global__ void write_beside_shared_kernel(float* out) {
  __shared__ float shares[threads];
  float* own = shares + threadIdx.x;
  own[1] = 1.0F;
  __syncthreads();
  out[threadIdx.x] = *own;
}

__global__ void warp_sum_kernel(const float* in, float* out, int lanes) {
  const int i = static_cast<int>(threadIdx.x);
  if (i >= lanes) return;
  float sum = in[i];
  for (unsigned step = warpSize / 2; step > 0; step /= 2)
    sum += __shfl_down_sync(0xFFFFFFFFU, sum, step);
  if (i == 0) out[0] = sum;
}

__global__ void atomic_sum_kernel(const double* in, double* out) {
  atomicAdd(out, in[blockIdx.x * blockDim.x + threadIdx.x]);
}

__global__ void plain_sum_kernel(const double* in, double* out) {
  if (threadIdx.x == 0) *out += in[blockIdx.x];
}

__global__ void fill_kernel(float value, float* out, int first) {
  out[first + static_cast<int>(threadIdx.x)] = value;
}

struct Target {
  long count;
  float* out;
};
__global__ void fill_in_structure_kernel(float value, Target target) {
  if (threadIdx.x < target.count) target.out[threadIdx.x] = value;
}

__global__ void fill_bytes_kernel(std::uint8_t* out, bool shared) {
  out[shared ? threadIdx.x / 2 : threadIdx.x] = static_cast<std::uint8_t>(threadIdx.x);
}

}  // namespace

void shift(cudaStream_t stream, const float* in, float* out, bool with_barrier) {
  launch("shift", shift_kernel, dim3(1), dim3(threads), stream, in, out, with_barrier);
}

void reverse_rows(cudaStream_t stream, const float* in, float* out, int rows) {
  launch("reverse_rows", reverse_rows_kernel, dim3(2, static_cast<unsigned>(rows) / 2),
         dim3(threads / 8, 8), stream, in, out);
}

void divergent_barrier(cudaStream_t stream, float* out) {
  launch("divergent_barrier", divergent_barrier_kernel, dim3(1), dim3(threads), stream, out);
}

void end_before_barrier(cudaStream_t stream, float* out) {
  launch("end_before_barrier", end_before_barrier_kernel, dim3(1), dim3(threads), stream, out);
}

void uninitialised_shared(cudaStream_t stream, const float* in, float* out) {
  launch("uninitialised_shared", uninitialised_shared_kernel, dim3(1), dim3(threads), stream, in,
         out);
}

void write_beside_shared(cudaStream_t stream, float* out) {
  launch("write_beside_shared", write_beside_shared_kernel, dim3(1), dim3(threads), stream, out);
}

void warp_sum(cudaStream_t stream, const float* in, float* out) {
  launch("warp_sum", warp_sum_kernel, dim3(1), dim3(threads), stream, in, out, warpSize);
}

void warp_sum_with_lanes_gone(cudaStream_t stream, const float* in, float* out) {
  launch("warp_sum", warp_sum_kernel, dim3(1), dim3(threads), stream, in, out, warpSize / 2);
}

void atomic_sum(cudaStream_t stream, const double* in, double* out, int blocks) {
  launch("atomic_sum", atomic_sum_kernel, dim3(static_cast<unsigned>(blocks)), dim3(threads),
         stream, in, out);
}

void plain_sum(cudaStream_t stream, const double* in, double* out, int blocks) {
  launch("plain_sum", plain_sum_kernel, dim3(static_cast<unsigned>(blocks)), dim3(threads), stream,
         in, out);
}

void fill(cudaStream_t stream, float value, float* out, int first) {
  launch("fill", fill_kernel, dim3(1), dim3(threads), stream, value, out, first);
}

void fill_wide(cudaStream_t stream, float* out, unsigned block) {
  launch("fill", fill_kernel, dim3(1), dim3(block), stream, 1.0F, out, 0);
}

void fill_bytes(cudaStream_t stream, std::uint8_t* out, bool shared) {
  launch("fill_bytes", fill_bytes_kernel, dim3(1), dim3(threads), stream, out, shared);
}

void fill_in_structure(cudaStream_t stream, float value, float* out) {
  launch("fill_in_structure", fill_in_structure_kernel, dim3(1), dim3(threads), stream, value,
         Target{threads, out});
}

}  // namespace cuda_on_host::planted
