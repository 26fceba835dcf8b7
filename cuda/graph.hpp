// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "atomtrack/tensor/memory.hpp"
#include "cuda/error.hpp"

namespace atomtrack::cuda {

// What a stream is given between two moments, kept as a graph instead of done.

/// False where CUDA cannot capture the stream now. Throws DeviceError.
bool begin_capture(cudaStream_t stream);
/// Null if something was asked for that CUDA cannot capture. Throws DeviceError; the capture is
/// over all the same.
std::unique_ptr<RecordedWork> end_capture(int index, cudaStream_t stream);

}  // namespace atomtrack::cuda
