// SPDX-License-Identifier: MIT
// Finds races between the threads of an emulated kernel, in whatever order they run. The kernels
// are compiled with -fsanitize=thread and the thread sanitizer is not linked: its hooks, which are
// told of every load and store, are defined here and apply CUDA's own rules of order. Two accesses
// to the same byte, one of them a write and not both atomic, must be of the same thread, or of one
// block with a barrier in between; blocks are in no order until the kernel ends. Of four bytes only
// the last accesses are remembered, so a race for one byte can hide behind its neighbours' traffic.
#include <sys/mman.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "cuda_on_host/device_memory.hpp"
#include "cuda_on_host/fatal.hpp"
#include "cuda_on_host/kernel_launch.hpp"

extern "C" char __start_cuda_on_host_shared[] __attribute__((weak));
extern "C" char __stop_cuda_on_host_shared[] __attribute__((weak));

namespace cuda_on_host {
namespace {

struct Access {
  std::uint32_t launch = 0, block = 0, barrier = 0;
  std::uint16_t warp = 0;  // primitives that the thread's warp had passed
  std::uint16_t thread : 11 = 0;
  std::uint16_t atomic : 1 = 0;
  std::uint16_t bytes : 4 = 0;  // which of the four
  const void* code = nullptr;
};

/// What was done last to four bytes. Two readers are kept, so that one thread's own reading does
/// not hide another's.
struct Cell {
  Access write;
  std::array<Access, 2> reads;
};

constexpr std::uintptr_t cell_bytes = 4;

/// One cell per four bytes of the device's addresses. Pages of it take memory once they are used.
Cell* device_cells(const AddressRange& range) {
  const std::size_t bytes = (range.end - range.begin) / cell_bytes * sizeof(Cell);
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) fatal("no addresses for the race detector");
  return static_cast<Cell*>(memory);
}

class Detector {
 public:
  void access(const void* address, std::size_t bytes, bool write, bool atomic, const void* code) {
    const auto at = reinterpret_cast<std::uintptr_t>(address);
    const bool shared = at >= shared_.begin && at < shared_.end;
    if (!shared && (at < device_.begin || at >= device_.end)) return;
    Access mine;
    mine.launch = progress.launch;
    mine.block = progress.block;
    mine.barrier = progress.barrier;
    mine.thread = static_cast<std::uint16_t>(current_thread->linear & 0x7FF);
    mine.warp = progress.warps[mine.thread / 32];
    mine.atomic = atomic ? 1 : 0;
    mine.code = code;
    const std::uintptr_t start = shared ? shared_.begin : device_.begin;
    Cell* cells = shared ? shared_cells_.data() : device_cells_;
    const std::uintptr_t first = at - start, end = first + bytes;
    for (std::uintptr_t i = first / cell_bytes; i * cell_bytes < end; ++i) {
      mine.bytes = touched(first, end, i * cell_bytes);
      note(cells[i], mine, write, shared);
    }
  }

 private:
  /// A bit for each byte of the cell at `cell` that lies in [first, end).
  static std::uint16_t touched(std::uintptr_t first, std::uintptr_t end, std::uintptr_t cell) {
    unsigned bits = 0;
    for (std::uintptr_t k = 0; k < cell_bytes; ++k)
      bits |= (cell + k >= first && cell + k < end ? 1U : 0U) << k;
    return bits & 0xF;
  }
  static bool ordered(const Access& before, const Access& now, bool shared) {
    if (before.launch != now.launch) return true;
    if (before.block != now.block) return shared;  // each block has its own shared memory
    if (before.thread == now.thread || before.barrier != now.barrier) return true;
    return before.thread / 32 == now.thread / 32 && before.warp != now.warp;
  }
  static bool conflict(const Access& before, const Access& now, bool shared) {
    const bool both_atomic = before.atomic != 0 && now.atomic != 0;
    return (before.bytes & now.bytes) != 0 && !both_atomic && !ordered(before, now, shared);
  }

  static void note(Cell& cell, const Access& mine, bool write, bool shared) {
    if (conflict(cell.write, mine, shared)) report(cell.write, mine, shared);
    if (write) {
      for (const Access& read : cell.reads)
        if (conflict(read, mine, shared)) report(read, mine, shared);
      cell.write = mine;
      return;
    }
    // Takes the place of a reading that no later write can race with, or of its own.
    const bool first_stays = !ordered(cell.reads[0], mine, shared);
    cell.reads[first_stays ? 1 : 0] = mine;
  }

  [[noreturn]] static void report(const Access& before, const Access& now, bool shared) {
    std::array<char, 256> text{};
    std::snprintf(text.data(), text.size(),
                  "race in %s memory: block %u thread %u at %p, and block %u thread %u at %p "
                  "[kernel %s; addr2line tells the lines]",
                  shared ? "shared" : "device", before.block, unsigned{before.thread}, before.code,
                  now.block, unsigned{now.thread}, now.code, progress.kernel);
    fatal(text.data());
  }

  AddressRange shared_{reinterpret_cast<std::uintptr_t>(__start_cuda_on_host_shared),
                       reinterpret_cast<std::uintptr_t>(__stop_cuda_on_host_shared)};
  AddressRange device_ = device_addresses();
  std::vector<Cell> shared_cells_ =
      std::vector<Cell>((shared_.end - shared_.begin) / cell_bytes + 1);
  Cell* device_cells_ = device_cells(device_);
};

// The kernels' files hold host code too, which runs at any time.
void access(const void* address, std::size_t bytes, bool write, bool atomic, const void* code) {
  if (!progress.running || current_thread == nullptr) return;
  static auto* detector = new Detector;
  detector->access(address, bytes, write, atomic, code);
}

[[maybe_unused]] const bool told_of_atomics = [] {
  on_atomic = [](const void* address, std::size_t bytes) {
    access(address, bytes, true, true, __builtin_return_address(0));
  };
  return true;
}();

}  // namespace
}  // namespace cuda_on_host

#define HOOK(name, bytes, write)                                                     \
  void name(void* address) {                                                         \
    cuda_on_host::access(address, bytes, write, false, __builtin_return_address(0)); \
  }
#define HOOKS(bytes)                               \
  HOOK(__tsan_read##bytes, bytes, false)           \
  HOOK(__tsan_write##bytes, bytes, true)           \
  HOOK(__tsan_unaligned_read##bytes, bytes, false) \
  HOOK(__tsan_unaligned_write##bytes, bytes, true)

extern "C" {
HOOKS(1)
HOOKS(2)
HOOKS(4)
HOOKS(8)
HOOKS(16)
void __tsan_read_range(void* address, unsigned long bytes) {
  cuda_on_host::access(address, bytes, false, false, __builtin_return_address(0));
}
void __tsan_write_range(void* address, unsigned long bytes) {
  cuda_on_host::access(address, bytes, true, false, __builtin_return_address(0));
}
void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}
}
