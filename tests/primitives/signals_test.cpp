// SPDX-License-Identifier: MIT
// A program that embeds the library may have handlers for signals, and a profiler sends hundreds of
// them per second. The kernel puts a handler's frame below the interrupted code's stack pointer, so
// that must point into the thread's stack even inside generated code.
#if defined(__linux__) && defined(__x86_64__)

#include <doctest/doctest.h>
#include <pthread.h>
#include <sys/time.h>
#include <ucontext.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>

#include "atomtrack/primitives/primitives.hpp"

using namespace atomtrack;

namespace {

/// Interrupts the thread that makes it, some two thousand times per second, and looks where its
/// stack pointer was. The handler runs on a stack of its own, so that it does no harm.
class Interruptions {
 public:
  Interruptions() {
    thread = pthread_self();
    pthread_attr_t attributes;
    pthread_getattr_np(thread, &attributes);
    void* address = nullptr;
    std::size_t size = 0;
    pthread_attr_getstack(&attributes, &address, &size);
    pthread_attr_destroy(&attributes);
    lowest = reinterpret_cast<std::uintptr_t>(address);
    highest = lowest + size;
    seen = astray = 0;

    const stack_t own{stack_.data(), 0, stack_.size()};
    sigaltstack(&own, &stack_before_);
    struct sigaction action {};
    action.sa_sigaction = look;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
    sigaction(SIGALRM, &action, &action_before_);
    const itimerval interval{{0, 500}, {0, 500}};
    setitimer(ITIMER_REAL, &interval, nullptr);
  }
  ~Interruptions() {
    const itimerval never{};
    setitimer(ITIMER_REAL, &never, nullptr);
    sigaction(SIGALRM, &action_before_, nullptr);
    sigaltstack(&stack_before_, nullptr);
  }
  Interruptions(const Interruptions&) = delete;
  Interruptions& operator=(const Interruptions&) = delete;

  /// Repeats `work` until a hundred signals have come, or for a second, and returns how many found
  /// the stack pointer outside the stack.
  template <class F>
  int astray_during(F work) {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point end = Clock::now() + std::chrono::seconds(1);
    seen = astray = 0;
    do {
      work();
    } while (seen < 100 && Clock::now() < end);
    REQUIRE(seen > 0);
    return astray;
  }

 private:
  static void look(int, siginfo_t*, void* context) {
    // A signal that its own thread holds back may come to another one, whose stack is another.
    if (pthread_equal(pthread_self(), thread) == 0) return;
    const auto at =
        static_cast<std::uintptr_t>(static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RSP]);
    if (at < lowest || at > highest) ++astray;
    ++seen;
  }

  inline static pthread_t thread;
  inline static std::uintptr_t lowest, highest;
  inline static std::atomic<int> seen, astray;
  std::array<std::byte, 65536> stack_{};
  stack_t stack_before_{};
  struct sigaction action_before_ {};
};

}  // namespace

TEST_CASE("signals during matrix products find the thread's stack") {
  struct Product {
    bool transpose_a, transpose_b;
    std::int64_t m, n, k;
  };
  Interruptions interruptions;
  // The predictor's layer and its two adjoints, a batch, and the taps of one filter.
  for (const Product& product :
       {Product{false, true, 10, 256, 6400}, Product{true, false, 256, 6400, 10},
        Product{false, false, 10, 6400, 256}, Product{false, true, 300, 256, 2304},
        Product{true, false, 16, 324, 64}}) {
    CAPTURE(product.m);
    CAPTURE(product.n);
    CAPTURE(product.k);
    const auto matrix = [](bool transpose, std::int64_t rows, std::int64_t columns) {
      return Tensor<float>(transpose ? Shape{columns, rows} : Shape{rows, columns});
    };
    const Tensor<float> a = matrix(product.transpose_a, product.m, product.k),
                        b = matrix(product.transpose_b, product.k, product.n);
    Tensor<float> c = matrix(false, product.m, product.n);
    CHECK(interruptions.astray_during([&] {
      primitives_for<float>(Device::cpu())
          .gemm(product.transpose_a, product.transpose_b, a, b, Write::overwrite, c);
    }) == 0);
  }
}

TEST_CASE("signals during convolutions and their adjoints find the thread's stack") {
  Interruptions interruptions;
  Primitives<float>& cpu = primitives_for<float>(Device::cpu());
  struct Case {
    Shape x, w;
    Conv2dGeometry geometry;
  };
  // The stem, a stage, a stage's shortcut, the classifier's filter, and channels that fill no
  // vector.
  for (const Case& c :
       {Case{{1, 3, 64, 64}, {64, 3, 7, 7}, {2, 3}}, Case{{2, 64, 18, 18}, {64, 64, 3, 3}, {1, 1}},
        Case{{1, 64, 18, 18}, {128, 64, 1, 1}, {2, 0}},
        Case{{3, 64, 18, 18}, {1, 64, 4, 4}, {1, 2}}, Case{{2, 5, 17, 19}, {7, 5, 3, 3}, {1, 1}}}) {
    CAPTURE(c.x);
    CAPTURE(c.w);
    Tensor<float> x(c.x), w(c.w), y(conv2d_shape(c.x, c.w, c.geometry));
    CHECK(interruptions.astray_during([&] { cpu.conv2d(x, w, c.geometry, y); }) == 0);
    CHECK(interruptions.astray_during(
              [&] { cpu.conv2d_data_adjoint(y, w, c.geometry, Write::overwrite, x); }) == 0);
    CHECK(interruptions.astray_during(
              [&] { cpu.conv2d_filter_adjoint(y, x, c.geometry, Write::overwrite, w); }) == 0);
  }
}

#endif
