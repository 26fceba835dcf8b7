// SPDX-License-Identifier: MIT
// Work that is recorded and repeated, on every device: done afresh each time on a host, and as a
// graph on a GPU.
#include "atomtrack/tensor/recording.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <thread>

#include "support/conformance.hpp"

using namespace atomtrack;
using test::devices_under_test;

namespace {

/// x + y through memory of its own, and how often it was really done.
struct Sum {
  explicit Sum(Device device)
      : x(Tensor<float>::full(Shape{100}, 1.0F, device)),
        y(Tensor<float>::full(Shape{100}, 2.0F, device)) {}

  void operator()() {
    Primitives<float>& primitives = primitives_for<float>(x.device());
    ++times;
    Tensor<float> scratch(x.shape(), x.device());
    primitives.copy(x, scratch);
    result = Tensor<float>(x.shape(), x.device());
    primitives.combine(Combination::add, scratch, y, result);
  }
  void set_x(float value) { primitives_for<float>(x.device()).fill(value, x); }
  float answer() const { return result.to_vector().back(); }

  Tensor<float> x, y, result;
  int times = 0;
};

}  // namespace

TEST_SUITE_BEGIN("conformance");

TEST_CASE("recorded work reads and writes its tensors anew each time") {
  for (const Device device : devices_under_test()) {
    CAPTURE(device);
    Sum sum(device);
    Recording recording(device);
    for (int i = 1; i <= 5; ++i) {
      sum.set_x(static_cast<float>(i));
      recording.run({sum.x.data()}, [&] { sum(); });
      CHECK(sum.answer() == static_cast<float>(i + 2));
      CHECK(recording.recorded() == (!device.is_host() && i >= 2));
    }
    CHECK(sum.times == (device.is_host() ? 5 : 2));
  }
}

TEST_CASE("nobody else is given the memory of a recording") {
  for (const Device device : devices_under_test()) {
    CAPTURE(device);
    release_cached_memory(device);
    const std::size_t before = pool_statistics(device).in_use;
    std::optional<Recording> recording(device);
    {
      Sum sum(device);
      for (int i = 0; i < 2; ++i) recording->run({sum.x.data()}, [&] { sum(); });
      // As many tensors of the same size as there could be left-over blocks.
      std::vector<Tensor<float>> others;
      for (int i = 0; i < 10; ++i)
        others.push_back(Tensor<float>::full(sum.x.shape(), 50.0F, device));
      sum.set_x(5.0F);
      recording->run({sum.x.data()}, [&] { sum(); });
      CHECK(sum.answer() == 7.0F);
      for (const Tensor<float>& other : others) CHECK(other.to_vector()[17] == 50.0F);
      release_cached_memory(device);  // must not touch it either
      recording->run({sum.x.data()}, [&] { sum(); });
      CHECK(sum.answer() == 7.0F);
      // Nor is what the work left behind anybody's once its owner has dropped it.
      sum.result = Tensor<float>();
      const auto another = Tensor<float>::full(sum.x.shape(), 50.0F, device);
      recording->run({sum.x.data()}, [&] { sum(); });
      CHECK(another.to_vector()[17] == 50.0F);
    }
    recording.reset();
    CHECK(pool_statistics(device).in_use == before);
  }
}

TEST_CASE("what recorded work takes from the host stays as it was") {
  for (const Device device : devices_under_test()) {
    CAPTURE(device);
    Tensor<float> total = Tensor<float>::zeros(Shape{3}, device);
    Recording recording(device);
    for (int i = 0; i < 4; ++i) {
      recording.run({total.data()}, [&] {
        const std::vector<float> step{1.0F, 2.0F, 4.0F};
        const Tensor<float> here(Shape{3}, std::span<const float>(step), device);
        primitives_for<float>(device).combine(Combination::add, total, here, total);
      });
      // Other things come from the host in between, and the way they took is free again.
      CHECK(Tensor<float>::full(Shape{9000}, 77.0F, device).to_vector().back() == 77.0F);
    }
    CHECK(total.to_vector() == std::vector<float>{4.0F, 8.0F, 16.0F});
  }
}

TEST_CASE("work that waits for the device is done each time") {
  for (const Device device : devices_under_test()) {
    CAPTURE(device);
    Sum sum(device);
    Recording recording(device);
    for (int i = 1; i <= 4; ++i) {
      sum.set_x(static_cast<float>(i));
      float seen = 0.0F;
      recording.run({sum.x.data()}, [&] {
        sum();
        seen = sum.answer();
      });
      CHECK(seen == static_cast<float>(i + 2));
      CHECK(!recording.recorded());
    }
  }
}

TEST_CASE("what the work throws comes through, and the next run works") {
  for (const Device device : devices_under_test()) {
    CAPTURE(device);
    Sum sum(device);
    Recording recording(device);
    const auto failing = [&] {
      sum();
      throw InputError("no more");
    };
    CHECK_THROWS_AS(recording.run({sum.x.data()}, failing), InputError);
    CHECK_THROWS_AS(recording.run({sum.x.data()}, failing), InputError);
    for (int i = 1; i <= 3; ++i) {
      sum.set_x(static_cast<float>(i));
      recording.run({sum.x.data()}, [&] { sum(); });
      CHECK(sum.answer() == static_cast<float>(i + 2));
    }
    CHECK(recording.recorded() == !device.is_host());
  }
}

TEST_CASE("tensors elsewhere are recorded anew") {
  for (const Device device : devices_under_test()) {
    CAPTURE(device);
    Recording recording(device);
    Sum one(device), other(device);
    other.set_x(4.0F);
    for (Sum* sum : {&one, &other}) {
      for (int i = 0; i < 3; ++i) recording.run({sum->x.data(), sum->y.data()}, [&] { (*sum)(); });
      CHECK(sum->times == (device.is_host() ? 3 : 2));
    }
    CHECK(one.answer() == 3.0F);
    CHECK(other.answer() == 6.0F);
    const Recording copy = recording;
    CHECK(!copy.recorded());
  }
}

TEST_CASE("recorded work within recorded work is part of it") {
  for (const Device device : devices_under_test()) {
    CAPTURE(device);
    Sum sum(device);
    Recording inner(device), outer(device);
    for (int i = 1; i <= 4; ++i) {
      sum.set_x(static_cast<float>(i));
      outer.run({sum.x.data()}, [&] { inner.run({sum.x.data()}, [&] { sum(); }); });
      CHECK(sum.answer() == static_cast<float>(i + 2));
    }
    CHECK(outer.recorded() == !device.is_host());
    CHECK(!inner.recorded());
  }
}

TEST_CASE("one thread takes over from another") {
  for (const Device device : devices_under_test()) {
    CAPTURE(device);
    // In place, so that no memory changes hands, which would order the threads as well.
    Tensor<float> x = Tensor<float>::full(Shape{100}, 1.0F, device);
    Handover handover(device);
    const auto step = [&](double value) {
      handover.take_over();
      primitives_for<float>(device).map({MapKind::scale, value}, x, x);
    };
    step(2.0);
    std::thread([&] { step(3.0); }).join();
    step(5.0);
    std::thread([&] { step(7.0); }).join();
    handover.take_over();
    CHECK(x.to_vector().back() == 210.0F);
  }
}

TEST_SUITE_END();
