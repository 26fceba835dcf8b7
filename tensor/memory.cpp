// SPDX-License-Identifier: MIT
#include "atomtrack/tensor/memory.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#include "atomtrack/tensor/error.hpp"
#include "tensor/kept_blocks.hpp"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace atomtrack {
namespace {

constexpr std::size_t alignment = 64;  // a cache line, and the widest vector register

// Cached blocks are poisoned under the address sanitizer: a use after the last tensor is gone is
// reported as it would be without a pool.
void poison([[maybe_unused]] void* data, [[maybe_unused]] std::size_t bytes) {
#if defined(__SANITIZE_ADDRESS__)
  ASAN_POISON_MEMORY_REGION(data, bytes);
#endif
}

void unpoison([[maybe_unused]] void* data, [[maybe_unused]] std::size_t bytes) {
#if defined(__SANITIZE_ADDRESS__)
  ASAN_UNPOISON_MEMORY_REGION(data, bytes);
#endif
}

class HostMemory final : public DeviceMemory {
 public:
  void* allocate(std::size_t bytes) override {
    void* data = ::operator new(bytes, std::align_val_t(alignment), std::nothrow);
    require<OutOfMemoryError>(data != nullptr, "out of host memory: ", bytes, " bytes asked for");
    return data;
  }
  void deallocate(void* data) noexcept override {
    ::operator delete(data, std::align_val_t(alignment));
  }
  void copy_to_host(void* host, const void* device, std::size_t bytes) override {
    copy_within(host, device, bytes);
  }
  void copy_from_host(void* device, const void* host, std::size_t bytes) override {
    copy_within(device, host, bytes);
  }
  void copy_within(void* to, const void* from, std::size_t bytes) override {
    if (bytes > 0) std::memmove(to, from, bytes);  // null pointers may come with no bytes
  }
  void set_zero(void* data, std::size_t bytes) override {
    if (bytes > 0) std::memset(data, 0, bytes);
  }
};

// Sizes are rounded up so that a freed block fits the next request of nearly the same size: to a
// multiple of the alignment, and above that to one of eight steps per power of two (at most 12.5 %
// is wasted).
std::size_t rounded(std::size_t bytes) {
  bytes = std::max(bytes, alignment);
  const std::size_t step = std::max(alignment, std::bit_floor(bytes) / 8);
  return (bytes + step - 1) / step * step;
}

}  // namespace

namespace detail {

class Pool;

struct Block {
  std::atomic<std::uint32_t> references{1};
  Pool* pool = nullptr;
  void* data = nullptr;
  std::size_t bytes = 0;
  std::uint64_t queue = 0;  // in which it was freed
  Block* next = nullptr;    // among a recording's free ones
};

class Pool {
 public:
  Pool(Device device, DeviceMemory* memory) : device_(device), memory_(memory) {}

  Block* acquire(std::size_t bytes) {
    const std::size_t size = rounded(bytes);
    KeptBlocks* const recording = KeptBlocks::open_for(device_);
    if (recording != nullptr) {
      if (Block* kept = recording->take(size)) return kept;
      recording->prepare();
    }
    const std::lock_guard lock(mutex_);
    Block* block = take_cached(size, recording != nullptr);
    if (block == nullptr) block = allocate(size, recording != nullptr);
    if (recording != nullptr) recording->note(block);
    block->references.store(1, std::memory_order_relaxed);
    statistics_.in_use += size;
    statistics_.high_water = std::max(statistics_.high_water, statistics_.in_use);
    unpoison(block->data, size);
    return block;
  }

  void recycle(Block* block) noexcept {
    if (KeptBlocks* recording = KeptBlocks::open_for(device_)) return recording->put(block);
    const std::uint64_t queue = memory_->queue();
    const std::lock_guard lock(mutex_);
    block->queue = queue;
    poison(block->data, block->bytes);
    statistics_.in_use -= block->bytes;
    free_[block->bytes].push_back(block);
  }

  void release_cached() {
    const std::lock_guard lock(mutex_);
    release_free_blocks();
  }

  PoolStatistics statistics() {
    const std::lock_guard lock(mutex_);
    return statistics_;
  }

  void reset_high_water() {
    const std::lock_guard lock(mutex_);
    statistics_.high_water = statistics_.in_use;
  }

  Device device() const { return device_; }
  DeviceMemory& memory() { return *memory_; }

 private:
  void release_free_blocks() {
    for (auto& [bytes, blocks] : free_) {
      for (Block* block : blocks) {
        unpoison(block->data, bytes);
        memory_->deallocate(block->data);
        statistics_.reserved -= bytes;
        delete block;
      }
      population_[bytes] -= blocks.size();
      blocks.clear();
    }
  }

  /// What the cache holds of other sizes is given back before the system's refusal is final.
  void* take_from_system(std::size_t size, bool recording) {
    try {
      return memory_->allocate(size);
    } catch (const OutOfMemoryError&) {
      // To free memory may mean to wait, which a recording must not.
      if (recording || statistics_.reserved == statistics_.in_use) throw;
      release_free_blocks();
      return memory_->allocate(size);
    }
  }

  // Best a block freed in the caller's own queue: whatever still uses it there comes first anyway.
  // A recording cannot wait for another queue, and nobody for a queue in which one is being made.
  Block* take_cached(std::size_t size, bool recording) {
    const auto found = free_.find(size);
    if (found == free_.end() || found->second.empty()) return nullptr;
    std::vector<Block*>& list = found->second;
    const std::uint64_t queue = memory_->queue();
    const auto own = std::find_if(list.rbegin(), list.rend(),
                                  [&](const Block* block) { return block->queue == queue; });
    if (own != list.rend()) std::iter_swap(own, list.rbegin());
    Block* block = list.back();
    if (block->queue != queue && (recording || !memory_->try_wait_for(block->queue)))
      return nullptr;
    list.pop_back();
    return block;
  }

  Block* allocate(std::size_t size, bool recording) {
    auto block = std::make_unique<Block>();
    block->pool = this;
    block->data = take_from_system(size, recording);
    block->bytes = size;
    // Room in the free list is made now, so that recycle(), which must not throw, never allocates.
    std::vector<Block*>& list = free_[size];
    ++population_[size];
    list.reserve(population_[size]);
    statistics_.reserved += size;
    ++statistics_.system_allocations;
    return block.release();
  }

  const Device device_;
  DeviceMemory* memory_;
  std::mutex mutex_;
  std::map<std::size_t, std::vector<Block*>> free_;
  std::map<std::size_t, std::size_t> population_;
  PoolStatistics statistics_;
};

namespace {

struct Registry {
  std::mutex mutex;
  HostMemory host_memory;
  std::vector<std::unique_ptr<Pool>> pools;
  void (*provide)(Device) = nullptr;
  Pool* host = add(Device::cpu(), &host_memory);

  Pool* add(Device device, DeviceMemory* memory) {
    return pools.emplace_back(std::make_unique<Pool>(device, memory)).get();
  }
};

// Never destroyed: tensors with static storage may outlive any order of destruction.
Registry& registry() {
  static Registry* instance = new Registry;
  return *instance;
}

Pool* find_pool(Device device) {
  const std::lock_guard lock(registry().mutex);
  for (const auto& pool : registry().pools) {
    if (pool->device() == device) return pool.get();
  }
  return nullptr;
}

Pool& pool_of(Device device) {
  if (device.is_host()) return *registry().host;
  Pool* pool = find_pool(device);
  if (pool == nullptr && registry().provide != nullptr) {
    registry().provide(device);
    pool = find_pool(device);
  }
  require<DeviceError>(pool != nullptr, "no memory for device ", device,
                       ": this build of atomtrack has no backend for it");
  return *pool;
}

}  // namespace

// ---- The memory of recordings ----

namespace {
thread_local KeptBlocks* open_recording = nullptr;
}

KeptBlocks* KeptBlocks::open_for(Device device) noexcept {
  return open_recording != nullptr && open_recording->device_ == device ? open_recording : nullptr;
}

void KeptBlocks::open() {
  open_recording = this;
}

void KeptBlocks::close() noexcept {
  open_recording = nullptr;
  std::erase_if(noted_, [](const Block* block) { return block->references == 0; });  // in free_
  for (Block* block : noted_) retain_block(block);
}

KeptBlocks::~KeptBlocks() {
  for (Block* block : noted_) release_block(block);
  while (free_ != nullptr) {
    Block* block = std::exchange(free_, free_->next);
    block->pool->recycle(block);
  }
}

Block* KeptBlocks::take(std::size_t bytes) noexcept {
  for (Block** link = &free_; *link != nullptr; link = &(*link)->next) {
    if ((*link)->bytes != bytes) continue;
    Block* block = std::exchange(*link, (*link)->next);
    block->references.store(1, std::memory_order_relaxed);
    return block;
  }
  return nullptr;
}

void KeptBlocks::put(Block* block) noexcept {
  block->next = std::exchange(free_, block);
}

// ---- Blocks ----

Block* acquire_block(Device device, std::size_t bytes) {
  return pool_of(device).acquire(bytes);
}
void* block_data(Block* block) noexcept {
  return block->data;
}
Device block_device(const Block* block) noexcept {
  return block->pool->device();
}
void retain_block(Block* block) noexcept {
  block->references.fetch_add(1, std::memory_order_relaxed);
}
bool block_is_unique(const Block* block) noexcept {
  return block->references.load(std::memory_order_acquire) == 1;
}
void release_block(Block* block) noexcept {
  if (block->references.fetch_sub(1, std::memory_order_acq_rel) == 1) block->pool->recycle(block);
}

}  // namespace detail

void register_device_memory(Device device, DeviceMemory* memory) {
  detail::Registry& all = detail::registry();
  const std::lock_guard lock(all.mutex);
  all.add(device, memory);
}

void register_memory_provider(void (*provide)(Device device)) {
  const std::lock_guard lock(detail::registry().mutex);
  detail::registry().provide = provide;
}

DeviceMemory& device_memory(Device device) {
  return detail::pool_of(device).memory();
}
PoolStatistics pool_statistics(Device device) {
  return detail::pool_of(device).statistics();
}
void reset_high_water(Device device) {
  detail::pool_of(device).reset_high_water();
}
void release_cached_memory(Device device) {
  detail::pool_of(device).release_cached();
}

}  // namespace atomtrack
