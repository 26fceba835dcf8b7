// SPDX-License-Identifier: MIT
// Runs the blocks of a grid one after another, the threads of a block as fibers.
#include "cuda_on_host/block_scheduler.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "cuda_on_host/fatal.hpp"
#include "cuda_on_host/fibers.hpp"
#include "cuda_on_host/kernel_launch.hpp"

// The linker's names for the ends of the section that device_language.hpp puts shared memory in.
extern "C" char __start_cuda_on_host_shared[] __attribute__((weak));
extern "C" char __stop_cuda_on_host_shared[] __attribute__((weak));

namespace cuda_on_host {

DeviceThread* current_thread = nullptr;
uint3 block_index{};
dim3 block_extent, grid_extent;
Progress progress;
void (*on_atomic)(const void*, std::size_t) = nullptr;

namespace {

constexpr int warp_lanes = 32;

enum class State : std::uint8_t { ready, at_block_barrier, at_warp_barrier, done };

struct Thread {
  DeviceThread device;
  Fiber fiber;
  Stack stack;
  State state = State::ready;
  bool started = false;
  unsigned mask = 0;           // at a warp barrier: the lanes to wait for
  std::source_location where;  // of the barrier it waits at
  std::uint64_t bits = 0;      // what it brought along to a shuffle
};

bool same_place(const std::source_location& a, const std::source_location& b) {
  return a.line() == b.line() && a.column() == b.column() &&
         std::strcmp(a.file_name(), b.file_name()) == 0;
}

std::string place(const std::source_location& where) {
  const std::string path = where.file_name();
  return path.substr(path.rfind('/') + 1) + ":" + std::to_string(where.line());
}

Order order_from_environment() {
  const char* name = std::getenv("ATOMTRACK_CUDA_ORDER");
  const std::string wish = name == nullptr ? "forward" : name;
  if (wish == "forward") return Order::forward;
  if (wish == "reverse") return Order::reverse;
  if (wish == "shuffled") return Order::shuffled;
  fatal("ATOMTRACK_CUDA_ORDER is forward, reverse or shuffled, not " + wish);
}

/// The block that is running, and what is kept from one to the next.
class BlockScheduler {
 public:
  void set_order(Order order) { order_ = order; }
  void run_grid(const char* kernel, dim3 grid, dim3 block, const std::function<void()>& body);

  /// Called on the running thread's stack.
  void wait_for_block(const std::source_location& where);
  void wait_for_warp(unsigned mask, const std::source_location& where);
  std::uint64_t exchange(unsigned mask, std::uint64_t bits, int source,
                         const std::source_location& where);

 private:
  static void entry();
  void run_block();
  void resume(Thread& thread);
  bool start_next();
  void arrange(std::vector<std::uint32_t>& items);
  bool release_warps();
  bool release_warp(std::size_t first);
  bool release_block();
  [[noreturn]] void fail(const std::string& message) const;

  Order order_ = order_from_environment();
  std::mt19937 random_;  // seeded alike every time: a failure can be repeated
  std::vector<Thread> threads_;
  std::size_t count_ = 0;  // threads of the block
  std::vector<std::uint32_t> turns_, blocks_;
  std::size_t next_ = 0;  // the first of turns_ that may not have started
  Thread* running_ = nullptr;
  const std::function<void()>* body_ = nullptr;
  const char* kernel_ = "";
};

BlockScheduler& scheduler() {
  static BlockScheduler instance;
  return instance;
}

void BlockScheduler::fail(const std::string& message) const {
  const auto triple = [](const uint3& at) {
    return "(" + std::to_string(at.x) + ", " + std::to_string(at.y) + ", " + std::to_string(at.z) +
           ")";
  };
  fatal(message + " [kernel " + kernel_ + ", block " + triple(block_index) + "]");
}

/// Numbers 0 ... size - 1 in the order in which they get their turn.
void BlockScheduler::arrange(std::vector<std::uint32_t>& items) {
  std::iota(items.begin(), items.end(), 0U);
  if (order_ == Order::reverse) std::reverse(items.begin(), items.end());
  if (order_ == Order::shuffled) std::shuffle(items.begin(), items.end(), random_);
}

void BlockScheduler::run_grid(const char* kernel, dim3 grid, dim3 block,
                              const std::function<void()>& body) {
  kernel_ = kernel;
  body_ = &body;
  grid_extent = grid;
  block_extent = block;
  count_ = std::size_t{block.x} * block.y * block.z;
  while (threads_.size() < count_) threads_.emplace_back().stack = make_stack();
  for (std::size_t i = 0; i < count_; ++i) {
    const auto at = static_cast<unsigned>(i);
    threads_[i].device.linear = static_cast<int>(i);
    threads_[i].device.index = {at % block.x, at / block.x % block.y, at / (block.x * block.y)};
  }
  turns_.resize(count_);
  blocks_.resize(std::size_t{grid.x} * grid.y * grid.z);
  arrange(blocks_);
  progress.kernel = kernel;
  ++progress.launch;
  progress.running = true;
  for (const std::uint32_t at : blocks_) {
    ++progress.block;
    ++progress.barrier;
    block_index = {at % grid.x, at / grid.x % grid.y, at / (grid.x * grid.y)};
    run_block();
  }
  progress.running = false;
  current_thread = nullptr;
}

/// All of shared memory to NaNs: what a GPU has there is whatever came before. Not memset, so that
/// the sanitizer leaves it alone: it guards the variables by zones that lie among them.
__attribute__((no_sanitize("address"))) void spoil_shared_memory() {
  auto* at = reinterpret_cast<volatile std::uint64_t*>(__start_cuda_on_host_shared);
  auto* end = reinterpret_cast<volatile std::uint64_t*>(__stop_cuda_on_host_shared);
  for (; at + 1 <= end; ++at) *at = ~std::uint64_t{0};
  auto* rest = reinterpret_cast<volatile char*>(at);
  for (; rest < __stop_cuda_on_host_shared; ++rest) *rest = static_cast<char>(0xFF);
}

void BlockScheduler::run_block() {
  spoil_shared_memory();
  for (std::size_t i = 0; i < count_; ++i) {
    threads_[i].state = State::ready;
    threads_[i].started = false;
  }
  arrange(turns_);
  for (;;) {
    next_ = 0;
    for (const std::uint32_t turn : turns_) {
      if (threads_[turn].state == State::ready) resume(threads_[turn]);
    }
    const auto end = threads_.begin() + static_cast<std::ptrdiff_t>(count_);
    if (std::all_of(threads_.begin(), end, [](const Thread& t) { return t.state == State::done; }))
      return;
    const bool moved = release_warps();
    if (!release_block() && !moved) fail("deadlock: a barrier that not all threads reach");
    if (order_ == Order::shuffled) arrange(turns_);
  }
}

void BlockScheduler::resume(Thread& thread) {
  running_ = &thread;
  current_thread = &thread.device;
  if (!thread.started) {
    thread.started = true;
    thread.fiber.prepare(thread.stack, entry);
  }
  thread.fiber.resume(thread.stack);
}

/// What a fiber runs. A thread that ends hands its stack to the next one that has not started,
/// which spares the two switches: kernels without barriers run like a loop.
void BlockScheduler::entry() {
  Fiber::entered();
  BlockScheduler& self = scheduler();
  do {
    (*self.body_)();
    self.running_->state = State::done;
  } while (self.start_next());
  self.running_->fiber.suspend(true);
  fatal("a thread that had ended was resumed");
}

bool BlockScheduler::start_next() {
  while (next_ < count_ && threads_[turns_[next_]].started) ++next_;
  if (next_ == count_) return false;
  Thread& next = threads_[turns_[next_++]];
  std::swap(next.stack, running_->stack);
  next.started = true;
  running_ = &next;
  current_thread = &next.device;
  return true;
}

void BlockScheduler::wait_for_block(const std::source_location& where) {
  Thread& self = *running_;
  self.state = State::at_block_barrier;
  self.where = where;
  self.fiber.suspend(false);
}

void BlockScheduler::wait_for_warp(unsigned mask, const std::source_location& where) {
  Thread& self = *running_;
  const int lane = self.device.linear % warp_lanes;
  if ((mask >> lane & 1U) == 0)
    fail("lane " + std::to_string(lane) + " is not in the mask of its own warp primitive at " +
         place(where));
  self.state = State::at_warp_barrier;
  self.where = where;
  self.mask = mask;
  self.fiber.suspend(false);
}

std::uint64_t BlockScheduler::exchange(unsigned mask, std::uint64_t bits, int source,
                                       const std::source_location& where) {
  Thread& self = *running_;
  self.bits = bits;
  wait_for_warp(mask, where);
  const int partner = self.device.linear / warp_lanes * warp_lanes + source;
  if ((mask >> source & 1U) == 0 || partner >= static_cast<int>(count_))
    fail("a shuffle at " + place(where) + " reads lane " + std::to_string(source) +
         ", which takes no part in it");
  const std::uint64_t result = threads_[static_cast<std::size_t>(partner)].bits;
  wait_for_warp(mask, where);  // until all have read, nobody may bring the next value
  return result;
}

/// Lets every complete set of lanes go on; whether there was one.
bool BlockScheduler::release_warps() {
  bool moved = false;
  for (std::size_t first = 0; first < count_; first += warp_lanes)
    while (release_warp(first)) moved = true;
  return moved;
}

bool BlockScheduler::release_warp(std::size_t first) {
  const std::size_t lanes = std::min<std::size_t>(warp_lanes, count_ - first);
  unsigned waiting = 0, gone = 0;
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    if (threads_[first + lane].state == State::at_warp_barrier) waiting |= 1U << lane;
    if (threads_[first + lane].state == State::done) gone |= 1U << lane;
  }
  const unsigned existing = lanes == warp_lanes ? ~0U : (1U << lanes) - 1;
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    if ((waiting >> lane & 1U) == 0) continue;
    const Thread& one = threads_[first + lane];
    const unsigned wanted = one.mask & existing;
    if ((wanted & gone) != 0)
      fail("the warp primitive at " + place(one.where) + " names a lane that has already ended");
    if ((wanted & waiting) != wanted) continue;
    for (std::size_t other = 0; other < lanes; ++other) {
      if ((wanted >> other & 1U) == 0) continue;
      Thread& thread = threads_[first + other];
      if (thread.mask != one.mask || !same_place(thread.where, one.where))
        fail("lanes of a warp meet at different warp primitives or masks, at " + place(one.where) +
             " and " + place(thread.where));
      thread.state = State::ready;
    }
    ++progress.warps[first / warp_lanes];
    return true;
  }
  return false;
}

/// Lets the block go on when all its threads wait at one barrier. Stricter than present GPUs, which
/// take threads that have ended as arrived, and as strict as the manual.
bool BlockScheduler::release_block() {
  const Thread* first = nullptr;
  std::size_t waiting = 0, gone = 0;
  for (std::size_t i = 0; i < count_; ++i) {
    const Thread& thread = threads_[i];
    gone += thread.state == State::done ? 1 : 0;
    if (thread.state != State::at_block_barrier) continue;
    ++waiting;
    if (first == nullptr) first = &thread;
    if (!same_place(thread.where, first->where))
      fail("threads of a block wait at different __syncthreads() calls, at " + place(first->where) +
           " and " + place(thread.where));
  }
  if (waiting == 0 || waiting + gone < count_) return false;
  if (gone > 0)
    fail("__syncthreads() at " + place(first->where) + ", past which threads have ended");
  for (std::size_t i = 0; i < count_; ++i) threads_[i].state = State::ready;
  ++progress.barrier;
  return true;
}

}  // namespace

void set_order(Order order) {
  scheduler().set_order(order);
}

void run_grid(const char* kernel, dim3 grid, dim3 block, const std::function<void()>& body) {
  scheduler().run_grid(kernel, grid, block, body);
}

void block_barrier(const std::source_location& where) {
  scheduler().wait_for_block(where);
}

void warp_barrier(unsigned mask, const std::source_location& where) {
  scheduler().wait_for_warp(mask, where);
}

std::uint64_t exchange_in_warp(unsigned mask, std::uint64_t bits, int source,
                               const std::source_location& where) {
  return scheduler().exchange(mask, bits, source, where);
}

}  // namespace cuda_on_host
