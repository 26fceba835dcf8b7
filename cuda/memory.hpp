// SPDX-License-Identifier: MIT
#pragma once

namespace atomtrack::cuda {

/// Registers the memory of GPU `index` with the tensors' pool, once. Throws DeviceError when there
/// is no such GPU. Thread-safe.
void serve_memory(int index);

}  // namespace atomtrack::cuda
