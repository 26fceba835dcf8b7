// SPDX-License-Identifier: MIT
#pragma once

#include <cuda_runtime_api.h>

#include <functional>

namespace cuda_on_host {

/// In which order the threads of a block, and the blocks of a grid, get to run between barriers. A
/// GPU promises none, so a kernel must give its result in each.
enum class Order { forward, reverse, shuffled };

/// The order from here on; at first what the environment's ATOMTRACK_CUDA_ORDER says.
void set_order(Order order);

/// Runs a kernel, `body` being one thread of it. The caller holds device_mutex() and has opened the
/// device's memory.
void run_grid(const char* kernel, dim3 grid, dim3 block, const std::function<void()>& body);

}  // namespace cuda_on_host
