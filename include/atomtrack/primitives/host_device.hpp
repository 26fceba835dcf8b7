// SPDX-License-Identifier: MIT
#pragma once

// A function marked ATOMTRACK_HOST_DEVICE is compiled for the host and, by nvcc, for the GPU: the
// mathematics of a kernel is written once and called by the CPU loop and by the CUDA kernel.
#ifdef __CUDACC__
#define ATOMTRACK_HOST_DEVICE __host__ __device__ inline
#else
#define ATOMTRACK_HOST_DEVICE inline
#endif
