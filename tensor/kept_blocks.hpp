// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "atomtrack/tensor/memory.hpp"

namespace atomtrack::detail {

/// The memory of a recording. While it is open, what the thread that opened it takes from the
/// device's pool is noted here, and what it lets go of stays here and is used again before the
/// pool's: nobody else is given memory that the recording will write to. Closed, it holds all of it
/// until it goes.
class KeptBlocks {
 public:
  explicit KeptBlocks(Device device) : device_(device) {}
  ~KeptBlocks();
  KeptBlocks(const KeptBlocks&) = delete;
  KeptBlocks& operator=(const KeptBlocks&) = delete;

  void open();
  void close() noexcept;

  /// What the calling thread has open for `device`, or null.
  static KeptBlocks* open_for(Device device) noexcept;

  /// A block of `bytes` bytes that was let go of, or null.
  Block* take(std::size_t bytes) noexcept;
  /// Room for one more block to note.
  void prepare() { noted_.reserve(noted_.size() + 1); }
  void note(Block* block) noexcept { noted_.push_back(block); }
  void put(Block* block) noexcept;

 private:
  Device device_;
  std::vector<Block*> noted_;  // taken from the pool; once closed, those that tensors still use
  Block* free_ = nullptr;      // linked by Block::next
};

}  // namespace atomtrack::detail
