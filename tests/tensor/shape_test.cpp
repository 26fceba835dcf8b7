// SPDX-License-Identifier: MIT
#include "atomtrack/tensor/shape.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <vector>

using namespace atomtrack;

TEST_CASE("a shape knows its axes, from both ends") {
  const Shape shape{2, 3, 5};
  CHECK(shape.rank() == 3);
  CHECK(shape.numel() == 30);
  CHECK(shape[0] == 2);
  CHECK(shape[2] == 5);
  CHECK(shape[-1] == 5);
  CHECK(shape[-3] == 2);
  CHECK(shape.position(-1) == 2);
  CHECK(std::vector<std::int64_t>(shape.begin(), shape.end()) ==
        std::vector<std::int64_t>{2, 3, 5});
  CHECK_THROWS_WITH_AS(shape[3], "axis 3 of a tensor of shape [2,3,5]: expected -3..2", ShapeError);
  CHECK_THROWS_AS(shape[-4], ShapeError);
}

TEST_CASE("a scalar has one element, an empty shape none") {
  CHECK(Shape{}.rank() == 0);
  CHECK(Shape{}.numel() == 1);
  CHECK(Shape{3, 0, 4}.numel() == 0);
  CHECK_THROWS_AS(Shape{}[0], ShapeError);
}

TEST_CASE("axes are replaced, appended and dropped in a copy") {
  const Shape shape{2, 3, 5};
  CHECK(shape.with(1, 7) == Shape{2, 7, 5});
  CHECK(shape.with(-1, 0) == Shape{2, 3, 0});
  CHECK(shape.append(4) == Shape{2, 3, 5, 4});
  CHECK(Shape{}.append(4) == Shape{4});
  CHECK(shape.drop(0) == Shape{3, 5});
  CHECK(shape.drop(-1) == Shape{2, 3});
  CHECK(Shape{9}.drop(0) == Shape{});
  CHECK(shape == Shape{2, 3, 5});
  CHECK_THROWS_AS(shape.with(3, 1), ShapeError);
  CHECK_THROWS_AS(shape.drop(3), ShapeError);
}

TEST_CASE("extents below zero, more axes than fit and overflowing sizes are refused") {
  CHECK_THROWS_AS((Shape{2, -1}), ShapeError);
  CHECK_THROWS_AS((Shape{2}.with(0, -3)), ShapeError);
  CHECK_NOTHROW(Shape{1, 1, 1, 1, 1, 1});
  CHECK_THROWS_AS((Shape{1, 1, 1, 1, 1, 1, 1}), ShapeError);
  const std::int64_t most = Shape::max_elements;
  CHECK(Shape{most}.numel() == most);
  CHECK(Shape{most, 1, 0}.numel() == 0);
  CHECK_THROWS_AS((Shape{most + 1}), ShapeError);
  CHECK_THROWS_AS((Shape{most, 2}), ShapeError);
  CHECK_THROWS_AS((Shape{most, 0, 2}), ShapeError);  // without the empty axis it would overflow
  CHECK_THROWS_AS((Shape{most, most, most, most}), ShapeError);
  CHECK_THROWS_AS((Shape{std::numeric_limits<std::int64_t>::max()}), ShapeError);
}

TEST_CASE("shapes are equal when ranks and extents are") {
  CHECK(Shape{2, 3} == Shape{2, 3});
  CHECK_FALSE(Shape{2, 3} == Shape{3, 2});
  CHECK_FALSE(Shape{2, 3} == Shape{2, 3, 1});
  CHECK_FALSE(Shape{1} == Shape{});
}

TEST_CASE("a shape is printed in brackets") {
  CHECK(concatenate(Shape{1, 3, 288, 288}) == "[1,3,288,288]");
  CHECK(concatenate(Shape{}) == "[]");
}

TEST_CASE("broadcasting aligns the last axes and repeats extents of one") {
  CHECK(broadcast_shape({2, 3, 4}, {2, 3, 4}) == Shape{2, 3, 4});
  CHECK(broadcast_shape({2, 3, 4}, {4}) == Shape{2, 3, 4});
  CHECK(broadcast_shape({4}, {2, 3, 1}) == Shape{2, 3, 4});
  CHECK(broadcast_shape({5, 1}, {1, 6}) == Shape{5, 6});
  CHECK(broadcast_shape({}, {2, 3}) == Shape{2, 3});
  CHECK(broadcast_shape({}, {}) == Shape{});
  CHECK(broadcast_shape({0, 3}, {1, 3}) == Shape{0, 3});
  CHECK(broadcast_shape({1}, {0}) == Shape{0});
  CHECK_THROWS_WITH_AS(
      broadcast_shape({2, 3}, {2, 4}),
      "shapes [2,3] and [2,4] do not broadcast: axis 1 is 3 in one and 4 in the other", ShapeError);
  CHECK_THROWS_AS(broadcast_shape({0}, {2}), ShapeError);
}
