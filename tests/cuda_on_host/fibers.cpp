// SPDX-License-Identifier: MIT
#include "cuda_on_host/fibers.hpp"

#include <sys/mman.h>

#include "cuda_on_host/fatal.hpp"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

#if !defined(__x86_64__)
#error "the switch between fibers is written for x86-64"
#endif

// Saves what the System V calling convention lets a function rely on across a call, but for the
// floating-point control words, which kernels do not change: swapcontext() would also ask the
// kernel for the signal mask, at fifty times the cost.
extern "C" void cuda_on_host_switch(void** save_stack_pointer, void* load_stack_pointer);
asm(R"(
.text
.globl cuda_on_host_switch
.type cuda_on_host_switch,@function
cuda_on_host_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size cuda_on_host_switch, .-cuda_on_host_switch
)");

namespace cuda_on_host {
namespace {

constexpr std::size_t stack_bytes = std::size_t{128} << 10;  // sanitizers make frames large
constexpr std::size_t page_bytes = 4096;

/// Where the scheduler goes on when a fiber suspends itself.
struct Scheduler {
  void* stack_pointer = nullptr;
  [[maybe_unused]] void* fake_stack = nullptr;
  [[maybe_unused]] const void* bottom = nullptr;
  [[maybe_unused]] std::size_t bytes = 0;
};
Scheduler scheduler;

}  // namespace

Stack make_stack() {
  void* memory = mmap(nullptr, stack_bytes + page_bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED || mprotect(memory, page_bytes, PROT_NONE) != 0)
    fatal("no memory for the stack of a device thread");
  return {static_cast<char*>(memory) + page_bytes, stack_bytes};
}

void Fiber::prepare(const Stack& stack, void (*entry)()) {
#if defined(__SANITIZE_ADDRESS__)
  __asan_unpoison_memory_region(stack.low, stack.bytes);
  fake_stack_ = nullptr;
#endif
  // As if `entry` had been called, without a caller, and had switched away at once.
  auto** top = reinterpret_cast<void**>(stack.low + stack.bytes);
  *--top = nullptr;
  *--top = reinterpret_cast<void*>(entry);
  for (int saved_register = 0; saved_register < 6; ++saved_register) *--top = nullptr;
  stack_pointer_ = top;
}

void Fiber::resume([[maybe_unused]] const Stack& stack) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(&scheduler.fake_stack, stack.low, stack.bytes);
#endif
  cuda_on_host_switch(&scheduler.stack_pointer, stack_pointer_);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(scheduler.fake_stack, nullptr, nullptr);
#endif
}

void Fiber::suspend([[maybe_unused]] bool for_good) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(for_good ? nullptr : &fake_stack_, scheduler.bottom,
                                 scheduler.bytes);
#endif
  cuda_on_host_switch(&stack_pointer_, scheduler.stack_pointer);
#if defined(__SANITIZE_ADDRESS__)
  // Another host thread may have resumed the fiber: its stack is the one to go back to.
  __sanitizer_finish_switch_fiber(fake_stack_, &scheduler.bottom, &scheduler.bytes);
#endif
}

void Fiber::entered() {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(nullptr, &scheduler.bottom, &scheduler.bytes);
#endif
}

}  // namespace cuda_on_host
