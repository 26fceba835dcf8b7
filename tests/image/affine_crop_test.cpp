// SPDX-License-Identifier: MIT
#include "atomtrack/image/affine_crop.hpp"

#include <doctest/doctest.h>

#include <numbers>

#include "atomtrack/tensor/random.hpp"

using namespace atomtrack;

namespace {

/// Black but for a white rectangle.
Tensor<std::uint8_t> picture(int width, int height, const Box& white) {
  Tensor<std::uint8_t> image = Tensor<std::uint8_t>::zeros(Shape{height, width, 3});
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const bool inside = x + 0.5 > white.x && x + 0.5 < white.x + white.width &&
                          y + 0.5 > white.y && y + 0.5 < white.y + white.height;
      for (int c = 0; c < 3; ++c) image.data()[(y * width + x) * 3 + c] = inside ? 255 : 0;
    }
  }
  return image;
}

/// Centre of mass of the white in a crop.
std::array<double, 2> centre_of(const Tensor<std::uint8_t>& pixels) {
  double sum = 0.0, x_sum = 0.0, y_sum = 0.0;
  for (std::int64_t y = 0; y < pixels.extent(0); ++y) {
    for (std::int64_t x = 0; x < pixels.extent(1); ++x) {
      const double value = pixels.data()[(y * pixels.extent(1) + x) * 3];
      sum += value;
      x_sum += value * static_cast<double>(x);
      y_sum += value * static_cast<double>(y);
    }
  }
  return {x_sum / sum, y_sum / sum};
}

}  // namespace

TEST_CASE("an affine crop shows a box where it says") {
  RandomSource random(3);
  const Box box{90, 60, 24, 16};
  const auto image = picture(200, 150, box);
  for (int i = 0; i < 40; ++i) {
    AffineCrop crop;
    crop.output = 96;
    crop.centre_x = 102 + random.uniform(-12.0, 12.0);
    crop.centre_y = 68 + random.uniform(-12.0, 12.0);
    crop.scale_x = random.uniform(0.7, 1.3);
    crop.scale_y = random.uniform(0.7, 1.3);
    crop.angle = random.uniform(-1.0, 1.0);
    crop.mirror = random.uniform() < 0.5;
    Tensor<std::uint8_t> pixels(Shape{96, 96, 3});
    cut(image, crop, pixels);
    const Box placed = crop.place(box);
    const auto [x, y] = centre_of(pixels);
    CHECK(x == doctest::Approx(placed.x + placed.width / 2).epsilon(0.01));
    CHECK(y == doctest::Approx(placed.y + placed.height / 2).epsilon(0.01));
  }
}

TEST_CASE("a crop of scale one without rotation is a window of the image") {
  RandomSource random(4);
  Tensor<std::uint8_t> image(Shape{20, 30, 3});
  for (auto& value : image.span()) value = static_cast<std::uint8_t>(random.below(256));
  AffineCrop crop;
  crop.output = 8;
  crop.centre_x = 14;
  crop.centre_y = 9;
  Tensor<std::uint8_t> pixels(Shape{8, 8, 3}), mirrored(Shape{8, 8, 3});
  cut(image, crop, pixels);
  crop.mirror = true;
  cut(image, crop, mirrored);
  for (int y = 0; y < 8; ++y) {
    for (int x = 0; x < 8; ++x) {
      for (int c = 0; c < 3; ++c) {
        const int expected = image.data()[((y + 5) * 30 + x + 10) * 3 + c];
        CHECK(pixels.data()[(y * 8 + x) * 3 + c] == expected);
        CHECK(mirrored.data()[(y * 8 + 7 - x) * 3 + c] == expected);
      }
    }
  }
}

TEST_CASE("outside the image is its border or its mirror image") {
  Tensor<std::uint8_t> image(Shape{1, 4, 3});
  for (int x = 0; x < 4; ++x) {
    for (int c = 0; c < 3; ++c) image.data()[x * 3 + c] = static_cast<std::uint8_t>(10 * x);
  }
  AffineCrop crop;
  crop.output = 10;
  crop.centre_x = 2;
  crop.centre_y = 0.5;
  Tensor<std::uint8_t> pixels(Shape{10, 10, 3});
  const auto row = [&] {
    cut(image, crop, pixels);
    std::vector<int> values;
    for (int x = 0; x < 10; ++x) values.push_back(pixels.data()[x * 3]);
    return values;
  };
  CHECK(row() == std::vector<int>{0, 0, 0, 0, 10, 20, 30, 30, 30, 30});
  crop.reflect = true;
  CHECK(row() == std::vector<int>{30, 20, 10, 0, 10, 20, 30, 20, 10, 0});
}

TEST_CASE("lift undoes place without rotation, and a turned box is bounded by its ellipse") {
  AffineCrop crop;
  crop.output = 288;
  crop.centre_x = 50;
  crop.centre_y = 40;
  crop.scale_x = 0.5;
  crop.scale_y = 0.7;
  crop.mirror = true;
  const Box box{44, 30, 20, 12};
  const Box back = crop.lift(crop.place(box));
  CHECK(back.x == doctest::Approx(box.x));
  CHECK(back.y == doctest::Approx(box.y));
  CHECK(back.width == doctest::Approx(box.width));
  CHECK(back.height == doctest::Approx(box.height));
  crop.scale_x = crop.scale_y = 1.0;
  crop.angle = std::numbers::pi / 2;
  const Box turned = crop.place(box);
  CHECK(turned.width == doctest::Approx(box.height));
  CHECK(turned.height == doctest::Approx(box.width));
}
