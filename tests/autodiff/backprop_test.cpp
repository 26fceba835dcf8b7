// SPDX-License-Identifier: MIT
#include "atomtrack/autodiff/backprop.hpp"

#include <doctest/doctest.h>

#include "atomtrack/autodiff/operations.hpp"
#include "atomtrack/tensor/random.hpp"
#include "support/compare.hpp"

using namespace atomtrack;
using test::absolute_difference;

namespace {

using V = Variable<double>;

V leaf(std::initializer_list<double> values) {
  return V::leaf(Tensor<double>(Shape{static_cast<std::int64_t>(values.size())}, values));
}

std::vector<double> numbers(const V& v) {
  return v.value().to_vector();
}

}  // namespace

TEST_CASE("a value that is reached by several ways gets the sum of its gradients") {
  const V x = leaf({2.0, -3.0});
  const V y = square(x);
  const V s = sum(y * y + y * 3.0 + x);  // x^4 + 3 x^2 + x
  CHECK(numbers(backprop(s, x)) == std::vector<double>{4 * 8 + 6 * 2 + 1, 4 * -27 + 6 * -3 + 1});
}

TEST_CASE("gradients of gradients are just gradients") {
  const V x = leaf({1.5, -0.5});
  V derivative = sum(x * x * x * x);
  const double expected[][2] = {
      {4 * 3.375, 4 * -0.125}, {12 * 2.25, 12 * 0.25}, {24 * 1.5, 24 * -0.5}, {24, 24}, {0, 0}};
  for (const auto& order : expected) {
    const V gradient = backprop(derivative, x);
    CHECK(numbers(gradient)[0] == doctest::Approx(order[0]));
    CHECK(numbers(gradient)[1] == doctest::Approx(order[1]));
    derivative = sum(gradient);
  }
}

TEST_CASE("several variables at once, one asked for twice, one in the middle, one not reached") {
  const V x = leaf({2.0}), y = leaf({5.0}), aside = leaf({1.0});
  const V middle = x * y;
  const V s = sum(square(middle));
  const std::vector<V> asked{x, middle, x, aside, y};
  const auto gradients = backprop(s, std::span<const V>(asked));
  CHECK(numbers(gradients[0]) == std::vector<double>{2 * 10.0 * 5});
  CHECK(numbers(gradients[1]) == std::vector<double>{20.0});
  CHECK(numbers(gradients[2]) == numbers(gradients[0]));
  CHECK(numbers(gradients[3]) == std::vector<double>{0.0});
  CHECK(numbers(gradients[4]) == std::vector<double>{2 * 10.0 * 2});
}

TEST_CASE("what is detached or made while recording is paused is constant") {
  const V x = leaf({3.0});
  CHECK_FALSE(x.detach().needs_gradient());
  CHECK(numbers(backprop(sum(x * x.detach()), x)) == std::vector<double>{3.0});
  {
    const RecordingPaused paused;
    CHECK_FALSE((x * x).needs_gradient());
    const RecordingPaused nested;
  }
  CHECK((x * x).needs_gradient());
  CHECK_FALSE(backprop(sum(x * x), x, Differentiable::no).needs_gradient());
  CHECK(backprop(sum(x * x), x, Differentiable::yes).needs_gradient());
}

TEST_CASE("a vector-Jacobian product from a result of any shape") {
  const V x = leaf({1.0, 2.0});
  const V y = concat({x * x, x}, 0);
  const V seed(Tensor<double>(Shape{4}, {1.0, 10.0, 100.0, 1000.0}));
  const std::vector<V> asked{x};
  CHECK(numbers(backprop_from(y, seed, std::span<const V>(asked))[0]) ==
        std::vector<double>{2 + 100.0, 40 + 1000.0});
  CHECK_THROWS_AS(backprop_from(y, V(Tensor<double>::zeros(Shape{3})), std::span<const V>(asked)),
                  ShapeError);
}

TEST_CASE("misuse is refused with a reason") {
  const V x = leaf({1.0, 2.0});
  CHECK_THROWS_AS(backprop(x * x, x), ShapeError);  // not a scalar
  CHECK_THROWS_AS(backprop(sum(x), V(Tensor<double>::zeros(Shape{2}))), ShapeError);  // a constant
  CHECK_THROWS_AS(x + leaf({1.0, 2.0, 3.0}), ShapeError);
}

TEST_CASE("only nodes on a path to what is asked for are visited") {
  const V x = leaf({1.0}), other = leaf({2.0});
  int visits = 0;
  const V counted = record(
      "counted", other.value(),
      [&](std::size_t, const V& g) {
        ++visits;
        return g;
      },
      other);
  const V s = sum(x * counted);
  backprop(s, x);
  CHECK(visits == 0);
  backprop(s, other);
  CHECK(visits == 1);
}

TEST_CASE("a third derivative in a box is refused by name") {
  RandomSource random(4);
  Tensor<double> map(Shape{1, 1, 5, 5});
  for (double& value : map.span()) value = random.normal();
  const V rois = V::leaf(Tensor<double>(Shape{1, 5}, {0.0, 0.3, 0.4, 3.2, 3.7}));
  const V first = backprop(sum(prroi_pool(V(map), rois, {2, 2, 1.0})), rois);
  const V second = backprop(sum(square(first)), rois);
  CHECK_NOTHROW(second.value().to_vector());
  CHECK_THROWS_WITH_AS(backprop(sum(second), rois),
                       "prroi_pool: no third derivative with respect to the box", Error);
  CHECK(numbers(backprop(sum(square(rois)), rois)).size() == 5);  // the failure left nothing behind
}

TEST_CASE(
    "a graph a hundred thousand operations deep is differentiated and freed without recursion") {
  V x = leaf({1.0});
  V y = x;
  for (int i = 0; i < 100000; ++i) y = y + 1e-5;
  CHECK(numbers(backprop(sum(y), x)) == std::vector<double>{1.0});
  y = V();
}

TEST_CASE("a repeated graph takes nothing from the system after its first pass") {
  RandomSource random(5);
  Tensor<float> start(Shape{20, 30});
  for (float& value : start.span()) value = static_cast<float>(random.normal());
  const auto run = [&] {
    const auto x = Variable<float>::leaf(start);
    const auto gradient = backprop(sum(pelu(matmul(x, x, false, true), 0.3)), x);
    return backprop(inner(gradient, gradient), x).value();
  };
  run();
  run();
  const auto before = pool_statistics(Device::cpu()).system_allocations;
  for (int i = 0; i < 10; ++i) run();
  CHECK(pool_statistics(Device::cpu()).system_allocations == before);
}

TEST_CASE("every back-propagation is counted") {
  const V x = leaf({1.0});
  const auto before = backprop_calls();
  backprop(sum(x), x);
  backprop(sum(x), x, Differentiable::no);
  CHECK(backprop_calls() == before + 2);
}
