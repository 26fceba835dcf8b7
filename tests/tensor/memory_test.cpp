// SPDX-License-Identifier: MIT
#include "atomtrack/tensor/memory.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

#include "atomtrack/tensor/tensor.hpp"

using namespace atomtrack;

namespace {

const Device host = Device::cpu();

PoolStatistics now() {
  return pool_statistics(host);
}

}  // namespace

TEST_CASE("the pool counts what live tensors hold") {
  const std::size_t before = now().in_use;
  {
    const Tensor<float> a(Shape{1000});
    const std::size_t held = now().in_use - before;
    CHECK(held >= 4000);
    CHECK(held <= 4500);  // rounded up by an eighth at most
    const Tensor<float> copy = a, view = a.slice(10, 20);
    CHECK(now().in_use - before == held);
    const Tensor<float> clone = a.clone();
    CHECK(now().in_use - before == 2 * held);
  }
  CHECK(now().in_use == before);
}

TEST_CASE("reserved memory is what is in use and what is cached") {
  release_cached_memory(host);
  CHECK(now().reserved == now().in_use);
  const std::size_t before = now().reserved;
  { const Tensor<double> a(Shape{5000}); }
  CHECK(now().reserved >= before + 40000);
  CHECK(now().in_use == before);
  release_cached_memory(host);
  CHECK(now().reserved == before);
}

TEST_CASE("the high-water mark is the most that was in use at once") {
  reset_high_water(host);
  const std::size_t before = now().in_use;
  CHECK(now().high_water == before);
  {
    const Tensor<float> a(Shape{10000});
    { const Tensor<float> b(Shape{20000}); }
    { const Tensor<float> c(Shape{5000}); }
  }
  const std::size_t most = now().high_water - before;
  CHECK(most >= 120000);
  CHECK(most <= 135000);
  const Tensor<float> small(Shape{100});
  CHECK(now().high_water - before == most);
  reset_high_water(host);
  CHECK(now().high_water == now().in_use);
}

TEST_CASE("a block that was given back is used again") {
  release_cached_memory(host);
  const void* first = nullptr;
  {
    const Tensor<float> a(Shape{3, 1000});
    first = a.data();
  }
  const std::uint64_t allocations = now().system_allocations;
  const Tensor<double> b(Shape{1500});  // as many bytes, of another type and shape
  CHECK(b.data() == first);
  CHECK(now().system_allocations == allocations);
  const Tensor<double> c(Shape{1500});  // the cache is empty now
  CHECK(c.data() != first);
  CHECK(now().system_allocations == allocations + 1);
}

TEST_CASE("a loop that is warm asks the system for nothing") {
  const auto frame = [](int variation) {
    std::vector<Tensor<float>> kept;
    for (const std::int64_t size : {64, 1000, 12345, 70000}) {
      kept.emplace_back(Shape{size + variation % 3});
      const Tensor<float> passing = kept.back().clone();
    }
  };
  for (int i = 0; i < 3; ++i) frame(i);
  const PoolStatistics warm = now();
  for (int i = 0; i < 100; ++i) frame(i);
  CHECK(now().system_allocations == warm.system_allocations);
  CHECK(now().reserved == warm.reserved);
}

TEST_CASE("blocks are aligned for every vector register and do not overlap") {
  std::vector<Tensor<std::uint8_t>> blocks;
  for (std::int64_t size = 0; size < 300; size += 7) {
    blocks.push_back(Tensor<std::uint8_t>::full(Shape{size}, static_cast<std::uint8_t>(size)));
    CHECK(reinterpret_cast<std::uintptr_t>(blocks.back().data()) % 64 == 0);
  }
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const std::vector<std::uint8_t> expected(7 * i, static_cast<std::uint8_t>(7 * i));
    CHECK(blocks[i].to_vector() == expected);
  }
}

TEST_CASE("cpu and reference share the host's pool") {
  const std::size_t before = now().in_use;
  const Tensor<float> a(Shape{1000}, Device::reference());
  CHECK(now().in_use > before);
  CHECK(pool_statistics(Device::reference()).in_use == now().in_use);
}

TEST_CASE("more memory than there is is an error, and the pool goes on") {
  const PoolStatistics before = now();
  CHECK_THROWS_AS(Tensor<double>(Shape{std::int64_t{1} << 50}), DeviceError);
  CHECK_THROWS_AS(Tensor<double>(Shape{Shape::max_elements}), DeviceError);
  CHECK(now().in_use == before.in_use);
  CHECK(now().reserved <= before.reserved);
  CHECK(Tensor<float>::full(Shape{4}, 2.0F).to_vector() == std::vector<float>(4, 2.0F));
}

TEST_CASE("several threads may allocate, share and release at once") {
  const std::size_t before = now().in_use;
  const Tensor<float> shared = Tensor<float>::full(Shape{100}, 3.0F);
  std::vector<int> wrong(4, 0);
  {
    std::vector<std::thread> workers;
    for (std::size_t t = 0; t < wrong.size(); ++t) {
      workers.emplace_back([&, t] {
        for (int i = 0; i < 500; ++i) {
          const auto mark = static_cast<float>(t * 1000 + static_cast<std::size_t>(i));
          const Tensor<float> own = Tensor<float>::full(Shape{50 + i % 7 * 100}, mark);
          const Tensor<float> copy = shared, view = own.slice(3, 5);
          for (const float value : view.to_vector()) wrong[t] += value != mark;
        }
      });
    }
    for (std::thread& worker : workers) worker.join();
  }
  CHECK(wrong == std::vector<int>(4, 0));
  CHECK(shared.unique());
  CHECK(now().in_use - before < 1000);
}

TEST_CASE("host memory copies within itself, overlapping ranges included") {
  DeviceMemory& memory = device_memory(host);
  char text[] = "abcdefgh";
  memory.copy_within(text + 2, text, 5);
  CHECK(std::memcmp(text, "ababcdeh", 8) == 0);
}

namespace {

/// A device of a thousand bytes in the host's memory whose work is ordered in numbered queues.
class SmallDevice final : public DeviceMemory {
 public:
  void* allocate(std::size_t bytes) override {
    require<OutOfMemoryError>(used + bytes <= 1024, "full");
    used += bytes;
    auto* block = new std::byte[bytes + 64];
    sizes.emplace_back(block, bytes);
    return block;
  }
  void deallocate(void* data) noexcept override {
    for (auto& [block, bytes] : sizes) {
      if (block != data) continue;
      used -= bytes;
      delete[] block;
      block = nullptr;
    }
  }
  void copy_to_host(void* to, const void* from, std::size_t bytes) override {
    std::memcpy(to, from, bytes);
  }
  void copy_from_host(void* to, const void* from, std::size_t bytes) override {
    std::memcpy(to, from, bytes);
  }
  void copy_within(void* to, const void* from, std::size_t bytes) override {
    std::memmove(to, from, bytes);
  }
  void set_zero(void* data, std::size_t bytes) override { std::memset(data, 0, bytes); }
  std::uint64_t queue() noexcept override { return current; }
  void wait_for(std::uint64_t other) override { waits.push_back(other); }

  std::size_t used = 0;
  std::uint64_t current = 1;
  std::vector<std::uint64_t> waits;
  std::vector<std::pair<std::byte*, std::size_t>> sizes;
};

SmallDevice& small_device(Device as) {
  auto* device = new SmallDevice;  // the pool keeps it
  register_device_memory(as, device);
  return *device;
}

}  // namespace

TEST_CASE("a block goes to another queue only after what its last one was given") {
  const Device device = Device::cuda(1001);
  SmallDevice& memory = small_device(device);
  const void* place = nullptr;
  {
    const Tensor<float> a(Shape{16}, device);
    place = a.data();
  }
  {
    const Tensor<float> same(Shape{16}, device);
    CHECK(same.data() == place);
    CHECK(memory.waits.empty());
  }
  memory.current = 2;
  const Tensor<float> other(Shape{16}, device);
  CHECK(other.data() == place);
  CHECK(memory.waits == std::vector<std::uint64_t>{1});
}

TEST_CASE("a queue's own blocks are taken before those of others") {
  const Device device = Device::cuda(1002);
  SmallDevice& memory = small_device(device);
  const void* first = nullptr;
  {
    const Tensor<float> a(Shape{16}, device);
    first = a.data();
    memory.current = 2;
    const Tensor<float> b(Shape{16}, device);
    CHECK(b.data() != first);
  }  // b and a are freed in queue 2
  memory.current = 3;
  { const Tensor<float> c(Shape{16}, device); }
  CHECK(memory.waits == std::vector<std::uint64_t>{2});
  { const Tensor<float> c(Shape{16}, device); }
  CHECK(memory.waits.size() == 1);
}

TEST_CASE("what the cache holds is given back before memory is said to be used up") {
  const Device device = Device::cuda(1003);
  SmallDevice& memory = small_device(device);
  { const Tensor<float> a(Shape{150}, device); }  // 640 bytes, cached
  CHECK(memory.used == 640);
  const Tensor<float> b(Shape{200}, device);  // does not fit beside it
  CHECK(pool_statistics(device).reserved == memory.used);
  CHECK_THROWS_AS(Tensor<float>(Shape{200}, device), DeviceError);
  CHECK(pool_statistics(device).in_use == memory.used);
}

TEST_CASE("zeros of a device are set there") {
  const Device device = Device::cuda(1004);
  small_device(device);
  CHECK(Tensor<float>::zeros(Shape{3}, device).to_vector() == std::vector<float>(3, 0.0F));
  CHECK(Tensor<float>::full(Shape{3}, 2.0F, device).to_vector() == std::vector<float>(3, 2.0F));
}
