// SPDX-License-Identifier: MIT
#include "atomtrack/tracker/sample_memory.hpp"

#include <doctest/doctest.h>

#include <numeric>

#include "atomtrack/tensor/error.hpp"

using namespace atomtrack;

namespace {

double total(const std::vector<float>& weights, std::size_t first, std::size_t last) {
  return std::accumulate(weights.begin() + static_cast<std::ptrdiff_t>(first),
                         weights.begin() + static_cast<std::ptrdiff_t>(last), 0.0);
}

}  // namespace

TEST_CASE("empty slots are filled first, then the least of the others gives way") {
  SampleWeights memory(8, 3, 0.25);
  for (int slot = 3; slot < 8; ++slot) CHECK(memory.add(0.1) == slot);
  CHECK(memory.add(0.1) == 3);  // the oldest
  CHECK(memory.add(0.1) == 4);
  for (int i = 0; i < 200; ++i) {
    CHECK(memory.add(0.1) >= 3);  // the first frame's stay
    CHECK(total(memory.weights(), 0, 3) >= 0.249);
  }
}

TEST_CASE("without a minimum the first frame's samples are replaced like any other") {
  SampleWeights memory(6, 3, 0.0);
  bool replaced = false;
  for (int i = 0; i < 50; ++i) replaced = memory.add(0.1) < 3 || replaced;
  CHECK(replaced);
  CHECK(total(memory.weights(), 0, 6) == doctest::Approx(1.0));
}

TEST_CASE("a new sample weighs its rate, and older ones decay by one minus it") {
  SampleWeights memory(20, 4, 0.0);
  memory.add(0.1);
  CHECK(memory.weights()[4] == doctest::Approx(0.1 / (1 / 0.9 + 0.1)));
  const float before = memory.weights()[4];
  memory.add(0.1);
  CHECK(memory.weights()[5] / memory.weights()[4] == doctest::Approx(1 / 0.9));
  CHECK(memory.weights()[4] < before);
}

TEST_CASE("memories without room are refused") {
  CHECK_THROWS_AS(SampleWeights(4, 4, 0.25), InputError);
  CHECK_THROWS_AS(SampleWeights(4, 0, 0.25), InputError);
  CHECK_THROWS_AS(SampleWeights(-1, 1, 0.25), InputError);
  CHECK_THROWS_AS(SampleWeights(4, 2, 1.5), InputError);
}

TEST_CASE("samples and labels are kept in the slot whose weight is theirs") {
  Options options;
  options.memory_size = 4;
  for (const Device device : {Device::cpu(), Device::reference()}) {
    SampleMemory memory(Tensor<float>::full(Shape{2, 3, 2, 2}, 5.0F, device),
                        Tensor<float>::full(Shape{2, 1, 2, 2}, 6.0F, device), options);
    CHECK(memory.samples().shape() == Shape{4, 3, 2, 2});
    CHECK(memory.labels().shape() == Shape{4, 1, 2, 2});
    CHECK(memory.weights().to_vector() == std::vector<float>{0.5F, 0.5F, 0.0F, 0.0F});
    CHECK(memory.samples().to_vector()[23] == 5.0F);
    CHECK(memory.samples().to_vector()[24] == 0.0F);  // empty
    const float* address = memory.samples().data();
    memory.add(Tensor<float>::full(Shape{1, 3, 2, 2}, 7.0F, device),
               Tensor<float>::full(Shape{1, 1, 2, 2}, 8.0F, device), 0.01);
    CHECK(memory.samples().data() == address);
    CHECK(memory.samples().slice(2, 1).to_vector() == std::vector<float>(12, 7.0F));
    CHECK(memory.labels().slice(2, 1).to_vector() == std::vector<float>(4, 8.0F));
    CHECK(memory.samples().slice(1, 1).to_vector() == std::vector<float>(12, 5.0F));
    CHECK(memory.weights().to_vector()[2] > 0.0F);
    CHECK(memory.weights().to_vector()[3] == 0.0F);
  }
}
