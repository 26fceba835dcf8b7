// SPDX-License-Identifier: MIT
// Device memory: one range of addresses that host code cannot read or write.
#include "cuda_on_host/device_memory.hpp"

#include <cuda_runtime_api.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <new>
#include <string>

#include "cuda_on_host/fatal.hpp"
#include "cuda_on_host/faults.hpp"
#include "cuda_on_host/kernel_launch.hpp"
#include "cuda_on_host/streams.hpp"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace cuda_on_host {
namespace {

constexpr std::size_t arena_bytes = std::size_t{8} << 30;
constexpr std::size_t red_zone = 256;  // also cudaMalloc's alignment
constexpr std::size_t page = 4096, huge_page = std::size_t{2} << 20;
constexpr int nan_byte = 0xFF;  // four or eight of them are a NaN, as an index -1

std::size_t round_up(std::size_t value, std::size_t step) {
  return (value + step - 1) / step * step;
}

/// Addresses are never given out twice, so that a stale pointer cannot pass for a live one.
class Arena {
 public:
  Arena() {
    void* memory = mmap(nullptr, arena_bytes + huge_page, PROT_NONE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) fatal("no addresses for the device's memory");
    const auto start = round_up(reinterpret_cast<std::uintptr_t>(memory), huge_page);
    base_ = reinterpret_cast<char*>(start);
    // The protection is changed twice per kernel: five hundred times as fast for huge pages.
    madvise(base_, arena_bytes, MADV_HUGEPAGE);
  }

  bool holds(const void* address) const {
    const auto* at = static_cast<const char*>(address);
    return at >= base_ && at < base_ + arena_bytes;
  }
  bool is_live(const void* address, std::size_t bytes) const {
    return lies_in(live_, address, bytes);
  }
  bool was_freed(const void* address) const { return lies_in(freed_, address, 1); }
  AddressRange addresses() const {
    const auto begin = reinterpret_cast<std::uintptr_t>(base_);
    return {begin, begin + arena_bytes};
  }
  std::size_t allocations() const { return live_.size(); }
  std::size_t free_bytes() const { return arena_bytes - used_; }

  /// Filled with NaNs, between two zones of `red_zone` bytes or more; null when nothing is left.
  void* allocate(std::size_t bytes);
  bool release(void* address);
  void open();
  void close();
  void check_red_zones(const char* what) const;

 private:
  using Extents = std::map<const char*, std::size_t>;  // sizes by address

  static bool lies_in(const Extents& extents, const void* address, std::size_t bytes) {
    const auto* at = static_cast<const char*>(address);
    auto after = extents.upper_bound(at);
    if (after == extents.begin()) return false;
    const auto& [start, size] = *--after;
    const auto offset = static_cast<std::size_t>(at - start);
    return offset < std::max<std::size_t>(size, 1) && bytes <= size - std::min(size, offset);
  }
  void protect(int protection) {
    if (used_ > 0 && mprotect(base_, round_up(used_, huge_page), protection) != 0)
      fatal("the protection of device memory could not be changed");
  }

  char* base_ = nullptr;
  std::size_t used_ = 0;  // bytes from base_ on that were ever given out
  int open_ = 0;          // how many DeviceAccess there are
  Extents live_, freed_;
};

Arena& arena() {
  static auto* instance = new Arena;  // never destroyed: static tensors may outlive it
  return *instance;
}

void* Arena::allocate(std::size_t bytes) {
  if (bytes > free_bytes() || round_up(bytes, red_zone) + 2 * red_zone > free_bytes())
    return nullptr;
  char* start = base_ + used_;
  const std::size_t whole = round_up(bytes, red_zone) + 2 * red_zone;
  used_ += whole;
  if (open_ > 0) protect(PROT_READ | PROT_WRITE);
  const DeviceAccess access;
  std::memset(start, nan_byte, whole);
  live_[start + red_zone] = bytes;
#if defined(__SANITIZE_ADDRESS__)
  ASAN_POISON_MEMORY_REGION(start, red_zone);
  ASAN_POISON_MEMORY_REGION(start + red_zone + bytes, whole - red_zone - bytes);
#endif
  return start + red_zone;
}

bool Arena::release(void* address) {
  const auto found = live_.find(static_cast<const char*>(address));
  if (found == live_.end()) return false;
  const DeviceAccess access;
  cuda_on_host::check_red_zones("before cudaFree");
  std::memset(address, nan_byte, found->second);
  // What it held goes back to the system: the pages that are wholly inside.
  const auto at = reinterpret_cast<std::uintptr_t>(address);
  const std::uintptr_t first = round_up(at, huge_page);
  const std::uintptr_t last = (at + found->second) / huge_page * huge_page;
  if (last > first) madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
#if defined(__SANITIZE_ADDRESS__)
  ASAN_POISON_MEMORY_REGION(address, found->second);
#endif
  freed_.insert(*found);
  live_.erase(found);
  return true;
}

void Arena::open() {
  if (open_++ == 0) protect(PROT_READ | PROT_WRITE);
}

void Arena::close() {
  if (--open_ == 0) protect(PROT_NONE);
}

__attribute__((no_sanitize("address"))) bool untouched(const char* at, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i)
    if (static_cast<unsigned char>(at[i]) != nan_byte) return false;
  return true;
}

void Arena::check_red_zones(const char* what) const {
  for (const auto& [start, size] : live_) {
    const std::size_t after = round_up(size, red_zone) - size + red_zone;
    if (!untouched(start - red_zone, red_zone))
      fatal("device memory was written before the start of an allocation of " +
            std::to_string(size) + " bytes: " + what);
    if (!untouched(start + size, after))
      fatal("device memory was written past the end of an allocation of " + std::to_string(size) +
            " bytes: " + what);
  }
}

std::size_t pinned = 0;  // blocks; guarded by device_mutex()

struct sigaction previous_handler {};

void on_fault(int, siginfo_t* info, void*) {
  if (arena().holds(info->si_addr)) {
    constexpr char text[] = "cuda_on_host: host code touched device memory\n";
    static_cast<void>(!write(STDERR_FILENO, text, sizeof(text) - 1));
  }
  // The instruction is run again and faults again, for whoever was here before.
  sigaction(SIGSEGV, &previous_handler, nullptr);
}

cudaError_t check_copy(const void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  const bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
  const bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
  if (to_device != is_device_address(to) || from_device != is_device_address(from))
    return cudaErrorInvalidMemcpyDirection;
  if ((to_device && !is_live(to, bytes)) || (from_device && !is_live(from, bytes)))
    return cudaErrorInvalidValue;
  return cudaSuccess;
}

}  // namespace

std::recursive_mutex& device_mutex() {
  static auto* mutex = new std::recursive_mutex;
  return *mutex;
}

AddressRange device_addresses() {
  return arena().addresses();
}

bool is_device_address(const void* address) {
  return arena().holds(address);
}

bool is_live(const void* address, std::size_t bytes) {
  const std::lock_guard lock(device_mutex());
  return arena().is_live(address, bytes);
}

bool was_freed(const void* address) {
  const std::lock_guard lock(device_mutex());
  return arena().was_freed(address);
}

DeviceAccess::DeviceAccess() {
  device_mutex().lock();
  arena().open();
}

DeviceAccess::~DeviceAccess() {
  arena().close();
  device_mutex().unlock();
}

void check_red_zones(const char* what) {
  arena().check_red_zones(what);
}

std::size_t live_pinned() {
  return pinned;
}

std::size_t live_allocations() {
  return arena().allocations();
}

void watch_host_access() {
  struct sigaction present {};
  sigaction(SIGSEGV, nullptr, &present);
  if ((present.sa_flags & SA_SIGINFO) != 0 && present.sa_sigaction == on_fault) return;
  previous_handler = present;
  struct sigaction mine {};
  mine.sa_sigaction = on_fault;
  mine.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigaction(SIGSEGV, &mine, nullptr);
}

void check_pointer_argument(const void* pointer, const char* kernel, int position) {
  if (pointer == nullptr || is_live(pointer, 1)) return;
  fatal("argument " + std::to_string(position) + " of kernel " + kernel +
        " is not a live device pointer");
}

void check_structure_argument(const void* structure, std::size_t bytes, const char* kernel,
                              int position) {
  for (std::size_t at = 0; at + sizeof(void*) <= bytes; at += sizeof(void*)) {
    void* word = nullptr;
    std::memcpy(&word, static_cast<const char*>(structure) + at, sizeof(word));
    // Not any address that is not live: the bytes between two members hold what they please. So a
    // small integer before such bytes can look like an address with few bits in its lower half.
    constexpr std::uintptr_t lower_half = 0xFFFFFFFF, small = 4096;
    if ((reinterpret_cast<std::uintptr_t>(word) & lower_half) >= small && was_freed(word))
      fatal("argument " + std::to_string(position) + " of kernel " + kernel +
            " holds a pointer to device memory that was freed");
  }
}

}  // namespace cuda_on_host

using cuda_on_host::remembered;

extern "C" {

cudaError_t cudaMalloc(void** pointer, size_t bytes) {
  if (cuda_on_host::fault(__func__, __builtin_return_address(0)))
    return remembered(cudaErrorMemoryAllocation);
  const std::lock_guard lock(cuda_on_host::device_mutex());
  cuda_on_host::watch_host_access();
  *pointer = cuda_on_host::arena().allocate(bytes);
  return remembered(*pointer == nullptr ? cudaErrorMemoryAllocation : cudaSuccess);
}

cudaError_t cudaFree(void* pointer) {
  const bool fails = cuda_on_host::fault(__func__, __builtin_return_address(0));
  const std::lock_guard lock(cuda_on_host::device_mutex());
  if (pointer == nullptr) return cudaSuccess;
  cuda_on_host::run_everything();  // cudaFree waits for the device
  if (!cuda_on_host::arena().release(pointer)) return remembered(cudaErrorInvalidValue);
  // A failure is reported after the deed, as that of work given earlier would be.
  return fails ? remembered(cudaErrorUnknown) : cudaSuccess;
}

cudaError_t cudaMallocHost(void** pointer, size_t bytes) {
  if (cuda_on_host::fault(__func__, __builtin_return_address(0)))
    return remembered(cudaErrorMemoryAllocation);
  *pointer = ::operator new(bytes, std::align_val_t(cuda_on_host::page), std::nothrow);
  if (*pointer == nullptr) return remembered(cudaErrorMemoryAllocation);
  std::memset(*pointer, 0xFF, bytes);
  const std::lock_guard lock(cuda_on_host::device_mutex());
  ++cuda_on_host::pinned;
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  if (cuda_on_host::fault(__func__, __builtin_return_address(0)))
    return remembered(cudaErrorUnknown);
  const std::lock_guard lock(cuda_on_host::device_mutex());
  const cudaError_t status = cuda_on_host::check_copy(to, from, bytes, kind);
  if (status != cudaSuccess) return remembered(status);
  return cuda_on_host::enqueue(stream, [=] {
    // Once more: a graph may have outlived its memory.
    if (cuda_on_host::check_copy(to, from, bytes, kind) != cudaSuccess)
      cuda_on_host::fatal("a copy's device memory was freed before it ran");
    std::memcpy(to, from, bytes);
  });
}

cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes, cudaStream_t stream) {
  if (cuda_on_host::fault(__func__, __builtin_return_address(0)))
    return remembered(cudaErrorUnknown);
  const std::lock_guard lock(cuda_on_host::device_mutex());
  if (!cuda_on_host::is_live(to, bytes)) return remembered(cudaErrorInvalidValue);
  return cuda_on_host::enqueue(stream, [=] { std::memset(to, value, bytes); });
}

cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  if (cuda_on_host::fault(__func__, __builtin_return_address(0)))
    return remembered(cudaErrorUnknown);
  const std::lock_guard lock(cuda_on_host::device_mutex());
  *free = cuda_on_host::arena().free_bytes();
  *total = cuda_on_host::arena_bytes;
  return cudaSuccess;
}

}  // extern "C"
