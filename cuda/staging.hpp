// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>

#include "cuda/error.hpp"

namespace atomtrack::cuda {

/// Pinned host memory through which bytes go up to a GPU without waiting for it: two halves, one
/// filled while the copies out of the other are under way. One thread at a time.
class StagingBuffer {
 public:
  explicit StagingBuffer(cudaStream_t stream) : stream_(stream) {}
  ~StagingBuffer() = default;
  StagingBuffer(const StagingBuffer&) = delete;
  StagingBuffer& operator=(const StagingBuffer&) = delete;

  /// Enqueues the copy of `bytes` bytes; the caller may reuse `host` at once. Waits only when more
  /// than the buffer holds is under way.
  void upload(void* device, const void* host, std::size_t bytes);
  /// Tells that the stream has done all that it was given, these copies among them.
  void all_done() noexcept;

 private:
  struct Half {
    std::byte* data = nullptr;
    cudaEvent_t emptied = nullptr;
    bool busy = false;
  };
  void turn();

  static constexpr std::size_t half_bytes = std::size_t{4} << 20;
  cudaStream_t stream_;
  std::array<Half, 2> halves_;
  std::size_t current_ = 0;
  std::size_t filled_ = 0;  // bytes of the current half
};

}  // namespace atomtrack::cuda
