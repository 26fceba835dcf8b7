// SPDX-License-Identifier: MIT
#include "atomtrack/image/crop.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "atomtrack/primitives/primitives.hpp"

using namespace atomtrack;

TEST_CASE("a window has a whole number of pixels, halves to even, and two at least") {
  const auto side = [](double wanted) {
    return sample_window(50, 50, wanted, 100, 200, 200).width;
  };
  CHECK(side(7.4) == 7);
  CHECK(side(6.5) == 6);
  CHECK(side(7.5) == 8);
  CHECK(side(2.5) == 2);
  CHECK(side(0.01) == 2);
}

TEST_CASE("a window is centred on the position rounded toward zero") {
  const auto window = [](double row, double col, double side) {
    return sample_window(row, col, side, 100, 200, 200);
  };
  // 5 pixels: two on each side. 4 pixels: one before and two after.
  CHECK(window(10.9, -3.7, 5).top == 8);
  CHECK(window(10.9, -3.7, 5).left == -5);
  CHECK(window(10.9, -3.7, 4).top == 9);
  CHECK(window(10.9, -3.7, 4).left == -4);
  CHECK(window(-0.9, 0.9, 5).top == -2);
  CHECK(window(-0.9, 0.9, 5).left == -2);
}

TEST_CASE("large windows are decimated") {
  const auto step = [](double scale) {
    return sample_window(500, 500, scale * 288, 288, 5000, 5000).step;
  };
  CHECK(step(0.2) == 1);
  CHECK(step(2.09) == 1);
  CHECK(step(2.11) == 2);
  CHECK(step(3.09) == 2);
  CHECK(step(3.11) == 3);
  CHECK(step(9.11) == 9);

  // Of the pixels 1, 3, 5, ... the one at 501 is number 250; before the frame the count goes on.
  const CropWindow window = sample_window(501, -7, 2.5 * 100, 100, 5000, 5000);
  CHECK(window.step == 2);
  CHECK(window.offset_y == 1);
  CHECK(window.offset_x == 1);
  CHECK(window.height == 125);
  CHECK(window.top == 250 - 62);
  CHECK(window.left == -4 - 62);
}

TEST_CASE("frames smaller than the step keep a pixel to see") {
  for (const int height : {1, 2, 3, 10}) {
    for (const int width : {1, 2, 3, 10}) {
      const CropWindow window = sample_window(0.4, 0.7, 5000, 288, height, width);
      CHECK(window.step >= 1);
      CHECK(window.offset_y < height);
      CHECK(window.offset_x < width);
    }
  }
}

TEST_CASE(
    "crop pixel u shows image coordinate step ((u + 1/2) size / output - 1/2 + start) + offset") {
  // A frame whose pixels are their own column: what a crop reads is where it reads.
  const std::int64_t extent = 250;
  Tensor<std::uint8_t> frame(Shape{extent, extent, 3});
  for (std::int64_t i = 0; i < frame.numel(); ++i)
    frame.data()[i] = static_cast<std::uint8_t>(i / 3 % extent);
  const float zero[3] = {0, 0, 0};
  const float one[3] = {1, 1, 1};
  const int output = 16;
  for (const double side : {9.0, 16.0, 23.0, 36.0, 50.0, 61.0}) {
    CAPTURE(side);
    const CropWindow window = sample_window(120.6, 121.3, side, output, static_cast<int>(extent),
                                            static_cast<int>(extent));
    Tensor<float> crop(Shape{1, 3, output, output});
    primitives_for<float>(Device::cpu()).crop_resize_frame(frame, window, zero, one, crop);
    for (int u = 0; u < output; ++u) {
      const double within = std::clamp((u + 0.5) * static_cast<double>(window.width) / output - 0.5,
                                       0.0, static_cast<double>(window.width - 1));
      const double expected =
          static_cast<double>(window.step) * (within + static_cast<double>(window.left)) +
          static_cast<double>(window.offset_x);
      CHECK(std::abs(static_cast<double>(crop.data()[u]) - expected) < 1e-3);
    }
  }
}

TEST_CASE("windows that are not numbers are refused") {
  const double nan = std::numeric_limits<double>::quiet_NaN(),
               infinity = std::numeric_limits<double>::infinity();
  CHECK_THROWS_AS(sample_window(nan, 0, 10, 10, 20, 20), InputError);
  CHECK_THROWS_AS(sample_window(0, -infinity, 10, 10, 20, 20), InputError);
  CHECK_THROWS_AS(sample_window(0, 0, nan, 10, 20, 20), InputError);
  CHECK_THROWS_AS(sample_window(0, 0, infinity, 10, 20, 20), InputError);
  CHECK_THROWS_AS(sample_window(0, 0, 0, 10, 20, 20), InputError);
  CHECK_THROWS_AS(sample_window(0, 0, 10, 0, 20, 20), InputError);
}
