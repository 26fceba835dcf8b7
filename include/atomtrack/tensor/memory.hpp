// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "atomtrack/tensor/device.hpp"

namespace atomtrack {

/// Work that a device has recorded and does again when asked: the same steps on the same memory.
class RecordedWork {
 public:
  virtual ~RecordedWork() = default;
  /// Gives it to the device once more, on the calling thread's queue. Throws DeviceError.
  virtual void repeat() = 0;
};

/// The system calls of one kind of memory. The host's is built in; a GPU backend registers its own.
class DeviceMemory {
 public:
  virtual ~DeviceMemory() = default;
  /// At least `bytes` bytes aligned to 64. Throws DeviceError when there is none left.
  virtual void* allocate(std::size_t bytes) = 0;
  virtual void deallocate(void* data) noexcept = 0;
  /// Copies between this device and the host or within this device, ordered after earlier work on
  /// the device; returns when the host may reuse both ranges.
  virtual void copy_to_host(void* host, const void* device, std::size_t bytes) = 0;
  virtual void copy_from_host(void* device, const void* host, std::size_t bytes) = 0;
  virtual void copy_within(void* to, const void* from, std::size_t bytes) = 0;
  /// Sets `bytes` bytes to zero, ordered like the copies.
  virtual void set_zero(void* data, std::size_t bytes) = 0;

  /// The queue on which the calling thread's work is ordered; 0 where work is done when a call
  /// returns. The pool gives a block that was freed in one queue to another only after `wait_for`.
  virtual std::uint64_t queue() noexcept { return 0; }
  /// That queue as the device's own library knows it, for others' work on the same tensors: on a
  /// GPU a cudaStream_t, and the GPU becomes the thread's current one. Null on a host.
  virtual void* native_queue() { return nullptr; }
  /// Orders later work of the calling thread after all that `queue` has been given so far.
  virtual void wait_for(std::uint64_t queue) { static_cast<void>(queue); }
  /// The same, but false, and nothing is ordered, while another thread records in `queue`.
  virtual bool try_wait_for(std::uint64_t queue) {
    wait_for(queue);
    return true;
  }
  /// Returns when all of the calling thread's work is done.
  virtual void synchronize() {}

  /// Until `end_recording` what the calling thread gives the device is recorded instead of done,
  /// and it may not wait for the device. False where the device cannot record; nothing is then
  /// begun.
  virtual bool begin_recording() { return false; }
  /// What was recorded; null if something in between cannot be. Throws DeviceError, and has then
  /// ended too.
  virtual std::unique_ptr<RecordedWork> end_recording() { return nullptr; }
};

/// Makes `memory` serve `device` until the process ends. Called once per GPU by the backend that
/// owns it.
void register_device_memory(Device device, DeviceMemory* memory);
/// Makes `provide(device)`, which shall register that device's memory or throw DeviceError, what is
/// asked when a tensor is to lie on a GPU that has none registered yet. Called once, by the
/// backend.
void register_memory_provider(void (*provide)(Device device));
/// The memory of `device`. Throws DeviceError when no backend provides it.
DeviceMemory& device_memory(Device device);

/// What the caching pool of a device has done. `high_water` is the largest `in_use` seen since the
/// last `reset_high_water`; `system_allocations` counts what the cache could not serve, so a loop
/// that is warm leaves it unchanged.
struct PoolStatistics {
  std::size_t in_use = 0;      ///< bytes held by live tensors
  std::size_t reserved = 0;    ///< bytes obtained from the system: in use, or cached
  std::size_t high_water = 0;  ///< bytes
  std::uint64_t system_allocations = 0;
};

/// All functions of the pool are thread-safe.
PoolStatistics pool_statistics(Device device);
void reset_high_water(Device device);
/// Returns every cached block that no tensor uses to the system.
void release_cached_memory(Device device);

namespace detail {

struct Block;
/// A block of at least `bytes` bytes with one reference. Throws DeviceError.
Block* acquire_block(Device device, std::size_t bytes);
void* block_data(Block* block) noexcept;
Device block_device(const Block* block) noexcept;
void retain_block(Block* block) noexcept;
void release_block(Block* block) noexcept;
bool block_is_unique(const Block* block) noexcept;

/// Shared ownership of one pool block; copying shares, nothing is allocated.
class BlockRef {
 public:
  BlockRef() = default;
  BlockRef(Device device, std::size_t bytes) : block_(acquire_block(device, bytes)) {}
  BlockRef(const BlockRef& other) : block_(other.block_) {
    if (block_ != nullptr) retain_block(block_);
  }
  BlockRef(BlockRef&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  BlockRef& operator=(BlockRef other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~BlockRef() {
    if (block_ != nullptr) release_block(block_);
  }

  explicit operator bool() const { return block_ != nullptr; }
  void* data() const { return block_data(block_); }
  Device device() const { return block_device(block_); }
  bool unique() const { return block_is_unique(block_); }

 private:
  Block* block_ = nullptr;
};

}  // namespace detail
}  // namespace atomtrack
