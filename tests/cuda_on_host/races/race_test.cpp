// SPDX-License-Identifier: MIT
// Races are found in whatever order the threads run, and only where there are some.
#include <cuda_runtime_api.h>
#include <doctest/doctest.h>
#include <signal.h>

#include "cuda_on_host/block_scheduler.hpp"
#include "cuda_on_host/last_words.hpp"
#include "cuda_on_host/planted_bugs.hpp"

using namespace cuda_on_host;

TEST_CASE("races are found in every order") {
  cudaStream_t stream = nullptr;
  REQUIRE(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) == cudaSuccess);
  void* memory = nullptr;
  constexpr std::size_t values = 8 * planted::threads;
  REQUIRE(cudaMalloc(&memory, 2 * values * sizeof(double)) == cudaSuccess);
  auto* in = static_cast<double*>(memory);
  double* out = in + values;
  auto* floats = reinterpret_cast<float*>(in);
  REQUIRE(cudaMemsetAsync(in, 0, 2 * values * sizeof(double), stream) == cudaSuccess);
  for (const Order order : {Order::forward, Order::reverse, Order::shuffled}) {
    set_order(order);
    planted::shift(stream, floats, floats + values, true);
    planted::reverse_rows(stream, floats, floats + values, 6);
    planted::warp_sum(stream, floats, floats + values);
    planted::atomic_sum(stream, in, out, 8);

    auto* bytes = reinterpret_cast<std::uint8_t*>(out);
    planted::fill_bytes(stream, bytes, false);  // neighbours within a word, and no race

    const std::string byte = last_words(SIGABRT, [&] { planted::fill_bytes(stream, bytes, true); });
    CAPTURE(byte);
    CHECK(contains(byte, "race in device memory"));
    const std::string barrier =
        last_words(SIGABRT, [&] { planted::shift(stream, floats, floats + values, false); });
    CAPTURE(barrier);
    CHECK(contains(barrier, "race in shared memory"));
    const std::string sum = last_words(SIGABRT, [&] { planted::plain_sum(stream, in, out, 8); });
    CAPTURE(sum);
    CHECK(contains(sum, "race in device memory"));
    CHECK(contains(sum, "[kernel plain_sum"));
  }
  set_order(Order::forward);
  REQUIRE(cudaFree(memory) == cudaSuccess);
  REQUIRE(cudaStreamDestroy(stream) == cudaSuccess);
}
