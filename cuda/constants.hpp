// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

#include "cuda/context.hpp"

namespace atomtrack::cuda {

/// Writes `bytes` bytes of the host to device memory; they travel among a kernel's arguments. A
/// graph that captures this writes the same bytes each time, and keeps no host memory for them.
/// For little: a launch for every kilobyte.
void store(const Context& context, void* device, const void* host, std::size_t bytes);

}  // namespace atomtrack::cuda
