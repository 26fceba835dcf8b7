// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "atomtrack/tensor/memory.hpp"
#include "cuda/error.hpp"

namespace atomtrack::cuda {

/// Pinned copies of what a recording takes from the host, read each time it is repeated.
class PinnedCopies {
 public:
  PinnedCopies() = default;
  ~PinnedCopies();
  PinnedCopies(const PinnedCopies&) = delete;
  PinnedCopies& operator=(const PinnedCopies&) = delete;

  /// A copy of `bytes` bytes that stays where it is until this goes.
  const void* keep(const void* host, std::size_t bytes);

 private:
  std::vector<std::byte*> pieces_;
  std::size_t piece_bytes_ = 0;  // of the last piece, and how many of them are used
  std::size_t used_ = 0;
};

/// What a stream is given between two moments, kept instead of done.
class Capture {
 public:
  Capture(int index, cudaStream_t stream);

  /// False where CUDA cannot capture the stream now.
  bool begin();
  /// Records the copy of `bytes` bytes, whose present value is what every repetition copies.
  void upload(void* device, const void* host, std::size_t bytes);
  /// Null if something was asked for that CUDA cannot capture. Throws DeviceError.
  std::unique_ptr<RecordedWork> end();

 private:
  int index_;
  cudaStream_t stream_;
  std::unique_ptr<PinnedCopies> copies_;
};

}  // namespace atomtrack::cuda
