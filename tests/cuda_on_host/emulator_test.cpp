// SPDX-License-Identifier: MIT
// The emulation of CUDA must find the mistakes it is there to find: each is planted here once.
#include <cuda_runtime_api.h>
#include <doctest/doctest.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "cuda_on_host/block_scheduler.hpp"
#include "cuda_on_host/last_words.hpp"
#include "cuda_on_host/planted_bugs.hpp"
#include "cuda_on_host/streams.hpp"

using namespace cuda_on_host;

namespace {

constexpr std::array<Order, 3> orders{Order::forward, Order::reverse, Order::shuffled};

/// Eager streams and threads in order for the test, whatever the environment says.
struct Settings {
  explicit Settings(bool lazy = false) {
    set_order(Order::forward);
    set_lazy(lazy);
  }
  Settings(const Settings&) = delete;
  Settings& operator=(const Settings&) = delete;
  ~Settings() { set_lazy(false); }
};

struct Stream {
  Stream() { REQUIRE(cudaStreamCreateWithFlags(&handle, cudaStreamNonBlocking) == cudaSuccess); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() { static_cast<void>(cudaStreamDestroy(handle)); }
  void synchronize() const { REQUIRE(cudaStreamSynchronize(handle) == cudaSuccess); }
  cudaStream_t handle = nullptr;
};

/// Values on the device, given back at the end.
template <class T = float>
struct Array {
  explicit Array(std::size_t size) : count(size) {
    void* memory = nullptr;
    REQUIRE(cudaMalloc(&memory, bytes()) == cudaSuccess);
    data = static_cast<T*>(memory);
  }
  Array(const std::vector<T>& values, const Stream& stream) : Array(values.size()) {
    REQUIRE(cudaMemcpyAsync(data, values.data(), bytes(), cudaMemcpyHostToDevice, stream.handle) ==
            cudaSuccess);
    stream.synchronize();
  }
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;
  ~Array() { static_cast<void>(cudaFree(data)); }
  std::size_t bytes() const { return count * sizeof(T); }
  std::vector<T> read(const Stream& stream) const {
    std::vector<T> values(count);
    REQUIRE(cudaMemcpyAsync(values.data(), data, bytes(), cudaMemcpyDeviceToHost, stream.handle) ==
            cudaSuccess);
    stream.synchronize();
    return values;
  }
  std::size_t count;
  T* data = nullptr;
};

template <class T = float>
std::vector<T> counting(std::size_t count) {
  std::vector<T> values(count);
  std::iota(values.begin(), values.end(), T{1});
  return values;
}

}  // namespace

TEST_CASE("kernels without faults give their results in every order") {
  const Settings settings;
  const Stream stream;
  const std::vector<float> values = counting(planted::threads);
  const Array<> in(values, stream), out(values.size());
  std::vector<float> shifted = values;
  std::copy(values.begin(), values.end() - 1, shifted.begin() + 1);
  const std::vector<double> many = counting<double>(5 * planted::threads);
  const Array<double> summands(many, stream);
  const std::vector<float> rows = counting(6 * planted::threads);
  const Array<> table(rows, stream), reversed(rows.size());
  for (const Order order : orders) {
    set_order(order);
    planted::shift(stream.handle, in.data, out.data, true);
    CHECK(out.read(stream) == shifted);

    planted::warp_sum(stream.handle, in.data, out.data);
    CHECK(out.read(stream)[0] == 32.0F * 33.0F / 2.0F);

    const Array<double> sum({0.0}, stream);
    planted::atomic_sum(stream.handle, summands.data, sum.data, 5);
    CHECK(sum.read(stream)[0] == 320.0 * 321.0 / 2.0);

    planted::reverse_rows(stream.handle, table.data, reversed.data, 6);
    std::vector<float> expected = rows;
    for (auto row = expected.begin(); row != expected.end(); row += planted::threads)
      std::reverse(row, row + planted::threads);
    CHECK(reversed.read(stream) == expected);
  }
}

TEST_CASE("a graph does what was captured, each time that it is launched") {
  for (const bool lazy : {false, true}) {
    const Settings settings(lazy);
    const Stream stream;
    const Array<> out(planted::threads);
    planted::fill(stream.handle, 1.0F, out.data, 0);
    cudaGraph_t graph = nullptr;
    cudaGraphExec_t executable = nullptr;
    REQUIRE(cudaStreamBeginCapture(stream.handle, cudaStreamCaptureModeRelaxed) == cudaSuccess);
    planted::fill(stream.handle, 2.0F, out.data, 0);
    REQUIRE(cudaStreamEndCapture(stream.handle, &graph) == cudaSuccess);
    CHECK(out.read(stream)[3] == 1.0F);  // captured, not done
    REQUIRE(cudaGraphInstantiate(&executable, graph, 0) == cudaSuccess);
    CHECK(cudaGraphDestroy(graph) == cudaSuccess);
    for (int i = 0; i < 2; ++i) {
      CHECK(cudaGraphLaunch(executable, stream.handle) == cudaSuccess);
      CHECK(out.read(stream)[3] == 2.0F);
      planted::fill(stream.handle, 1.0F, out.data, 0);
    }
    CHECK(cudaGraphExecDestroy(executable) == cudaSuccess);
    CHECK(cudaGraphLaunch(executable, stream.handle) == cudaErrorInvalidValue);
    static_cast<void>(cudaGetLastError());
  }
}

TEST_CASE("waiting while a graph is captured spoils it") {
  const Settings settings;
  const Stream stream;
  const Array<> out(planted::threads);
  REQUIRE(cudaStreamBeginCapture(stream.handle, cudaStreamCaptureModeRelaxed) == cudaSuccess);
  CHECK(cudaStreamSynchronize(stream.handle) == cudaErrorStreamCaptureUnsupported);
  planted::fill(stream.handle, 2.0F, out.data, 0);
  CHECK(cudaGetLastError() == cudaErrorStreamCaptureInvalidated);
  cudaGraph_t graph = nullptr;
  CHECK(cudaStreamEndCapture(stream.handle, &graph) == cudaErrorStreamCaptureInvalidated);
  CHECK(graph == nullptr);
  static_cast<void>(cudaGetLastError());
  CHECK(cudaStreamSynchronize(stream.handle) == cudaSuccess);
}

TEST_CASE("a graph that outlives its memory ends the process") {
  const Settings settings;
  const Stream stream;
  const auto launch_after_free = [&](bool kernel) {
    return last_words(SIGABRT, [&] {
      cudaGraph_t graph = nullptr;
      cudaGraphExec_t executable = nullptr;
      const std::vector<float> values = counting(planted::threads);
      {
        const Array<> out(planted::threads);
        static_cast<void>(cudaStreamBeginCapture(stream.handle, cudaStreamCaptureModeRelaxed));
        if (kernel) {
          planted::fill(stream.handle, 2.0F, out.data, 0);
        } else {
          static_cast<void>(cudaMemcpyAsync(out.data, values.data(), out.bytes(),
                                            cudaMemcpyHostToDevice, stream.handle));
        }
        static_cast<void>(cudaStreamEndCapture(stream.handle, &graph));
        static_cast<void>(cudaGraphInstantiate(&executable, graph, 0));
      }
      static_cast<void>(cudaGraphLaunch(executable, stream.handle));
    });
  };
  CHECK(contains(launch_after_free(true), "is not a live device pointer"));
  CHECK(contains(launch_after_free(false), "a copy's device memory was freed before it ran"));
}

TEST_CASE("a barrier left out shows in some order of the threads") {
  const Settings settings;
  const Stream stream;
  const std::vector<float> values = counting(planted::threads);
  const Array<> in(values, stream), out(values.size());
  std::vector<float> shifted = values;
  std::copy(values.begin(), values.end() - 1, shifted.begin() + 1);
  int wrong = 0;
  for (const Order order : orders) {
    set_order(order);
    planted::shift(stream.handle, in.data, out.data, false);
    wrong += out.read(stream) != shifted ? 1 : 0;
  }
  CHECK(wrong >= 1);
}

TEST_CASE("barriers that not all threads reach end the process") {
  const Settings settings;
  const Stream stream;
  const Array<> in(counting(planted::threads), stream), out(planted::threads);
  for (const Order order : orders) {
    set_order(order);
    const std::string divergent =
        last_words(SIGABRT, [&] { planted::divergent_barrier(stream.handle, out.data); });
    CAPTURE(divergent);
    CHECK(contains(divergent, "threads of a block wait at different __syncthreads() calls"));
    CHECK(contains(divergent, "[kernel divergent_barrier, block (0, 0, 0)]"));

    const std::string ended =
        last_words(SIGABRT, [&] { planted::end_before_barrier(stream.handle, out.data); });
    CAPTURE(ended);
    CHECK(contains(ended, "past which threads have ended"));

    const std::string lanes = last_words(
        SIGABRT, [&] { planted::warp_sum_with_lanes_gone(stream.handle, in.data, out.data); });
    CAPTURE(lanes);
    CHECK(contains(lanes, "names a lane that has already ended"));
  }
}

TEST_CASE("memory that was never written is NaN") {
  const Settings settings;
  const Stream stream;
  const Array<> in(counting(planted::threads), stream), out(planted::threads);
  CHECK(std::isnan(out.read(stream)[5]));
  planted::uninitialised_shared(stream.handle, in.data, out.data);
  CHECK(std::isnan(out.read(stream)[5]));
}

TEST_CASE("host code that touches device memory dies") {
  const Settings settings;
  const Stream stream;
  const Array<> values(counting(8), stream);
  const std::string reading = last_words(SIGSEGV, [&] {
    volatile const float* spied = values.data;
    static_cast<void>(*spied);
  });
  CAPTURE(reading);
  CHECK(contains(reading, "host code touched device memory"));
}

TEST_CASE("kernels take live device pointers only") {
  const Settings settings;
  const Stream stream;
  const std::string host = last_words(SIGABRT, [&] {
    std::vector<float> on_host(planted::threads);
    planted::fill(stream.handle, 1.0F, on_host.data(), 0);
  });
  CAPTURE(host);
  CHECK(contains(host, "argument 1 of kernel fill is not a live device pointer"));

  float* freed = nullptr;
  {
    const Array<> gone(planted::threads);
    freed = gone.data;
    planted::fill_in_structure(stream.handle, 2.0F, freed);
    CHECK(gone.read(stream)[3] == 2.0F);
  }
  const std::string stale =
      last_words(SIGABRT, [&] { planted::fill(stream.handle, 1.0F, freed, 0); });
  CAPTURE(stale);
  CHECK(contains(stale, "argument 1 of kernel fill is not a live device pointer"));
  const std::string inside =
      last_words(SIGABRT, [&] { planted::fill_in_structure(stream.handle, 1.0F, freed); });
  CAPTURE(inside);
  CHECK(contains(inside, "holds a pointer to device memory that was freed"));
}

TEST_CASE("writes beside an allocation end the process") {
  const Settings settings;
  const Stream stream;
  const Array<> out(planted::threads);
  const auto complaint = [](const char* where) {
    return sanitized ? std::string("use-after-poison")
                     : std::string("written ") + where + " an allocation of 256 bytes: fill";
  };
  const std::string after =
      last_words(SIGABRT, [&] { planted::fill(stream.handle, 1.0F, out.data, 1); });
  CAPTURE(after);
  CHECK(contains(after, complaint("past the end of")));
  const std::string before =
      last_words(SIGABRT, [&] { planted::fill(stream.handle, 1.0F, out.data, -1); });
  CAPTURE(before);
  CHECK(contains(before, complaint("before the start of")));
}

TEST_CASE("writes beside a shared array are the sanitizer's to find") {
  if (!sanitized) return;
  const Settings settings;
  const Stream stream;
  const Array<> out(planted::threads);
  const std::string words =
      last_words(SIGABRT, [&] { planted::write_beside_shared(stream.handle, out.data); });
  CAPTURE(words);
  CHECK((contains(words, "global-buffer-overflow") || contains(words, "runtime error")));
}

TEST_CASE("copies must fit and go the way they say") {
  const Settings settings;
  const Stream stream;
  const Array<> one(8), two(8);
  std::vector<float> host(16);
  const auto copy = [&](void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
    const cudaError_t status = cudaMemcpyAsync(to, from, bytes, kind, stream.handle);
    CHECK(cudaGetLastError() == status);
    return status;
  };
  const std::size_t bytes = one.bytes();
  CHECK(copy(one.data, host.data(), bytes, cudaMemcpyHostToDevice) == cudaSuccess);
  CHECK(copy(host.data(), one.data, bytes + 1, cudaMemcpyDeviceToHost) == cudaErrorInvalidValue);
  CHECK(copy(one.data + 1, host.data(), bytes, cudaMemcpyHostToDevice) == cudaErrorInvalidValue);
  CHECK(copy(one.data, two.data, bytes, cudaMemcpyHostToDevice) == cudaErrorInvalidMemcpyDirection);
  CHECK(copy(host.data(), one.data, bytes, cudaMemcpyHostToDevice) ==
        cudaErrorInvalidMemcpyDirection);
  CHECK(copy(host.data(), host.data() + 8, bytes, cudaMemcpyDeviceToDevice) ==
        cudaErrorInvalidMemcpyDirection);
  CHECK(cudaMemsetAsync(one.data, 0, bytes + 1, stream.handle) == cudaErrorInvalidValue);
  CHECK(cudaMemsetAsync(host.data(), 0, 1, stream.handle) == cudaErrorInvalidValue);
  CHECK(cudaFree(one.data + 1) == cudaErrorInvalidValue);
  CHECK(cudaMemsetAsync(one.data, 0, bytes, nullptr) == cudaErrorInvalidResourceHandle);
  CHECK(cudaGetLastError() == cudaErrorInvalidResourceHandle);
  CHECK(cudaGetLastError() == cudaSuccess);
}

TEST_CASE("a GPU's limits are kept") {
  const Settings settings;
  const Stream stream;
  const Array<> out(2048);
  planted::fill_wide(stream.handle, out.data, 1024);
  CHECK(cudaGetLastError() == cudaSuccess);
  planted::fill_wide(stream.handle, out.data, 1025);
  CHECK(cudaGetLastError() == cudaErrorInvalidConfiguration);
  CHECK(out.read(stream)[1023] == 1.0F);
  CHECK(std::isnan(out.read(stream)[1024]));
  void* memory = nullptr;
  CHECK(cudaMalloc(&memory, std::size_t{1} << 40) == cudaErrorMemoryAllocation);
  CHECK(cudaGetLastError() == cudaErrorMemoryAllocation);
  CHECK(cudaSetDevice(1) == cudaErrorInvalidDevice);
  CHECK(cudaGetLastError() == cudaErrorInvalidDevice);
}

TEST_CASE("lazy streams show a synchronisation left out") {
  const Settings settings(true);
  const Stream stream;
  const Array<> out(planted::threads);
  float host = -1.0F;
  planted::fill(stream.handle, 3.0F, out.data, 0);
  REQUIRE(cudaMemcpyAsync(&host, out.data, sizeof(host), cudaMemcpyDeviceToHost, stream.handle) ==
          cudaSuccess);
  CHECK(host == -1.0F);
  stream.synchronize();
  CHECK(host == 3.0F);
}

TEST_CASE("lazy streams show a wait for another stream left out") {
  const Settings settings(true);
  const Stream writer, reader;
  const Array<> out(planted::threads);
  cudaEvent_t written = nullptr;
  REQUIRE(cudaEventCreateWithFlags(&written, cudaEventDisableTiming) == cudaSuccess);
  for (const bool waits : {false, true}) {
    CAPTURE(waits);
    const float value = waits ? 5.0F : 4.0F;
    planted::fill(writer.handle, value, out.data, 0);
    REQUIRE(cudaEventRecord(written, writer.handle) == cudaSuccess);
    if (waits) REQUIRE(cudaStreamWaitEvent(reader.handle, written, 0) == cudaSuccess);
    CHECK((out.read(reader)[0] == value) == waits);
    REQUIRE(cudaEventSynchronize(written) == cudaSuccess);
    CHECK(out.read(reader)[0] == value);
  }
}
