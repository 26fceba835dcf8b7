// SPDX-License-Identifier: MIT
// Calls into CUDA, cuBLAS and cuDNN that fail when a test wants them to.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace cuda_on_host {

/// A call of one of the libraries' functions, or the launch of a kernel, and where it was made.
struct ApiCall {
  std::string function;  // or the kernel's name
  const void* site = nullptr;
};

/// Forgets what was recorded and planned.
void start_recording();
/// The calls since then, in order, those that failed among them.
std::vector<ApiCall> recorded_calls();

/// Call `number` (counted from 0 since `start_recording`) will fail, and after it the first call of
/// `then`, if that is not empty.
void plan_fault(std::size_t number, const std::string& then = {});
/// Whether everything that was planned has happened.
bool faults_happened();

/// Asked by every emulated function, on behalf of its caller at `site`: whether this call fails.
bool fault(const char* function, const void* site);

/// What is alive on the device and in the libraries.
struct LiveObjects {
  std::size_t streams = 0, events = 0, graphs = 0, handles = 0, descriptors = 0, pinned = 0,
              allocations = 0;
};
LiveObjects live_objects();

// Each part of the emulation tells its own.
std::size_t live_streams();
std::size_t live_events();
std::size_t live_graphs();
std::size_t live_cublas_handles();
std::size_t live_cudnn_handles();
std::size_t live_descriptors();
std::size_t live_pinned();
std::size_t live_allocations();

}  // namespace cuda_on_host
