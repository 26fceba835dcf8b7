// SPDX-License-Identifier: MIT
#include "cuda/staging.hpp"

#include <algorithm>
#include <cstring>

namespace atomtrack::cuda {

void StagingBuffer::upload(void* device, const void* host, std::size_t bytes) {
  auto* to = static_cast<std::byte*>(device);
  const auto* from = static_cast<const std::byte*>(host);
  while (bytes > 0) {
    if (filled_ == half_bytes) turn();
    Half& half = halves_[current_];
    if (half.data == nullptr) {
      void* memory = nullptr;
      check(cudaMallocHost(&memory, half_bytes), "cudaMallocHost");
      half.data = static_cast<std::byte*>(memory);
    }
    const std::size_t part = std::min(bytes, half_bytes - filled_);
    std::memcpy(half.data + filled_, from, part);
    check(cudaMemcpyAsync(to, half.data + filled_, part, cudaMemcpyHostToDevice, stream_),
          "cudaMemcpyAsync");
    filled_ += part;
    to += part;
    from += part;
    bytes -= part;
  }
}

void StagingBuffer::all_done() noexcept {
  filled_ = 0;
  for (Half& half : halves_) half.busy = false;
}

void StagingBuffer::turn() {
  Half& full = halves_[current_];
  if (full.emptied == nullptr)
    check(cudaEventCreateWithFlags(&full.emptied, cudaEventDisableTiming),
          "cudaEventCreateWithFlags");
  check(cudaEventRecord(full.emptied, stream_), "cudaEventRecord");
  full.busy = true;
  Half& next = halves_[1 - current_];
  if (next.busy) check(cudaEventSynchronize(next.emptied), "cudaEventSynchronize");
  next.busy = false;
  current_ = 1 - current_;
  filled_ = 0;
}

}  // namespace atomtrack::cuda
