// SPDX-License-Identifier: MIT
#include "atomtrack/primitives/strides.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace atomtrack;

TEST_CASE("dense strides are row-major") {
  const Strides strides = dense_strides(Shape{2, 3, 4});
  CHECK(strides[0] == 12);
  CHECK(strides[1] == 4);
  CHECK(strides[2] == 1);
}

TEST_CASE("broadcast strides stand still along repeated axes, missing ones included") {
  const Strides strides = broadcast_strides(Shape{3, 1}, Shape{2, 3, 4});
  CHECK(strides[0] == 0);
  CHECK(strides[1] == 1);
  CHECK(strides[2] == 0);
}

TEST_CASE("an odometer visits every position in row-major order, and starts again") {
  const Shape shape{2, 3};
  Odometer<2> at(shape, {dense_strides(shape), broadcast_strides(Shape{3}, shape)});
  const std::vector<std::int64_t> dense{0, 1, 2, 3, 4, 5, 0}, repeated{0, 1, 2, 0, 1, 2, 0};
  for (std::size_t i = 0; i < dense.size(); ++i, at.advance()) {
    CHECK(at.offset(0) == dense[i]);
    CHECK(at.offset(1) == repeated[i]);
  }
}

TEST_CASE("an odometer over a scalar stands still") {
  Odometer<1> at(Shape{}, {Strides{}});
  at.advance();
  CHECK(at.offset(0) == 0);
}
