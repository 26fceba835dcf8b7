// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>

namespace cuda_on_host {

/// Memory to run on, from its lowest address up.
struct Stack {
  char* low = nullptr;
  std::size_t bytes = 0;
};

/// A new stack with a page before it that must not be touched, so that an overflow is noticed.
/// Stacks are never given back: a block needs at most 1024, and their memory is only taken when
/// used.
Stack make_stack();

/// A flow of control with a stack of its own, which the scheduler resumes and which suspends
/// itself. One of them runs at a time, in whatever host thread resumes it.
class Fiber {
 public:
  /// The next resume() calls `entry` on `stack`; `entry` never returns.
  void prepare(const Stack& stack, void (*entry)());
  /// Runs on until the fiber that is then running suspends itself.
  void resume(const Stack& stack);
  /// Back to where the running fiber was resumed. `for_good`: it will not be resumed again.
  void suspend(bool for_good);
  /// To be called first thing in `entry`.
  static void entered();

 private:
  void* stack_pointer_ = nullptr;
  void* fake_stack_ = nullptr;  // the address sanitizer's
};

}  // namespace cuda_on_host
