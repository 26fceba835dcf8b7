// SPDX-License-Identifier: MIT
#include "atomtrack/primitives/geometry.hpp"

#include <doctest/doctest.h>

using namespace atomtrack;

TEST_CASE("shapes of convolutions") {
  CHECK(conv2d_shape({1, 3, 288, 288}, {64, 3, 7, 7}, {2, 3}) == Shape{1, 64, 144, 144});
  CHECK(conv2d_shape({2, 64, 18, 18}, {1, 64, 4, 4}, {1, 2}) == Shape{2, 1, 19, 19});
  CHECK(conv2d_shape({1, 1, 5, 6}, {1, 1, 3, 3}, {2, 0}) == Shape{1, 1, 2, 2});
  CHECK(conv2d_shape({1, 1, 1, 1}, {1, 1, 3, 3}, {1, 1}) == Shape{1, 1, 1, 1});
  CHECK(conv2d_shape({0, 3, 5, 5}, {4, 3, 3, 3}, {1, 0}) == Shape{0, 4, 3, 3});
  CHECK_THROWS_AS(conv2d_shape({1, 1, 2, 2}, {1, 1, 3, 3}, {1, 0}), ShapeError);
}

TEST_CASE("shapes of poolings") {
  CHECK(pool2d_shape({1, 64, 144, 144}, {3, 2, 1}) == Shape{1, 64, 72, 72});
  CHECK(pool2d_shape({1, 1, 5, 4}, {2, 2, 0}) == Shape{1, 1, 2, 2});
  CHECK_THROWS_AS(pool2d_shape({1, 1, 1, 1}, {2, 2, 0}), ShapeError);
  CHECK_THROWS_AS(pool2d_shape({1, 1, 8, 8}, {3, 1, 2}), ShapeError);
}

TEST_CASE("shapes of PrRoIPool") {
  CHECK(prroi_pool_shape({2, 256, 36, 36}, {10, 5}, {5, 5, 0.125}) == Shape{10, 256, 5, 5});
  CHECK(prroi_pool_shape({2, 256, 36, 36}, {0, 5}, {3, 1, 0.125}) == Shape{0, 256, 3, 1});
  CHECK_THROWS_AS(prroi_pool_shape({2, 256, 36, 36}, {10, 4}, {5, 5, 0.125}), ShapeError);
}
