// SPDX-License-Identifier: MIT
#pragma once

#include "atomtrack/tensor/memory.hpp"

namespace atomtrack::cuda {

/// Scratch memory of a call, from the tensors' pool; the stream orders its reuse.
struct Workspace {
  Workspace(Device device, std::size_t size) : bytes(size) {
    if (bytes > 0) block = detail::BlockRef(device, bytes);
  }
  void* data() const { return block ? block.data() : nullptr; }

  std::size_t bytes;
  detail::BlockRef block;
};

}  // namespace atomtrack::cuda
