// SPDX-License-Identifier: MIT
#pragma once

#include <cuda_runtime_api.h>

#include <functional>

namespace cuda_on_host {

/// Lazy streams run nothing before something waits for it, so that a synchronisation left out shows
/// every time; others run what they are given at once. At first what the environment says:
/// ATOMTRACK_CUDA_LAZY=1.
void set_lazy(bool lazy);

/// Gives `stream` something to do with device memory.
cudaError_t enqueue(cudaStream_t stream, std::function<void()> work);
/// Whether there is such a stream.
bool is_stream(cudaStream_t stream);
/// Runs what all streams have been given, as cudaDeviceSynchronize would.
void run_everything();

/// Keeps an error for the calling thread's cudaGetLastError, and returns it.
cudaError_t remembered(cudaError_t status);

}  // namespace cuda_on_host
