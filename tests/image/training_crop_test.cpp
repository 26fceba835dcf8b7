// SPDX-License-Identifier: MIT
#include "atomtrack/image/training_crop.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

#include "atomtrack/tensor/random.hpp"
#include "support/goldens.hpp"

using namespace atomtrack;
using test::Golden;

namespace {

ImageView view_of(const Tensor<std::uint8_t>& image) {
  return {image.data(), static_cast<int>(image.extent(1)), static_cast<int>(image.extent(0)), 0,
          PixelFormat::rgb8};
}

Tensor<std::uint8_t> noise(std::int64_t height, std::int64_t width) {
  RandomSource random(3);
  Tensor<std::uint8_t> image(Shape{height, width, 3});
  for (std::uint8_t& value : image.span()) value = static_cast<std::uint8_t>(random.bits());
  return image;
}

Tensor<std::uint8_t> cut_out(const Tensor<std::uint8_t>& image, const TrainingCrop& crop) {
  FrameRegion region;
  Tensor<std::uint8_t> pixels(Shape{crop.output, crop.output, 3});
  cut(view_of(image), crop, region, pixels);
  return pixels;
}

}  // namespace

TEST_CASE("the training crop agrees with the golden, to the bit") {
  const Golden golden("metrics.h5");
  const auto box = [&](const char* name) {
    const auto v = golden.tensor<double>(std::string("crop_train/") + name).to_vector();
    return Box{v[0], v[1], v[2], v[3]};
  };
  const TrainingCrop crop = training_crop(box("box_extract"), 5.0, 48);
  CHECK(crop.factor() == doctest::Approx(golden.attribute("crop_train", "resize_factor")));
  const auto image = golden.tensor<std::uint8_t>("crop_train/image");
  const auto expected = golden.tensor<std::uint8_t>("crop_train/crop");
  CHECK(cut_out(image, crop).to_vector() == expected.to_vector());
  const Box placed = crop.place(box("box_gt")), recorded = box("box_crop");
  CHECK(std::abs(placed.x - recorded.x) < 1e-4);
  CHECK(std::abs(placed.y - recorded.y) < 1e-4);
  CHECK(std::abs(placed.width - recorded.width) < 1e-4);
  CHECK(std::abs(placed.height - recorded.height) < 1e-4);
}

TEST_CASE("a square of the output's size is copied; its last column and row give way at the edge") {
  const auto image = noise(40, 50);
  const std::vector<std::uint8_t> pixels = image.to_vector();
  const auto check_square = [&](std::int64_t left, std::int64_t top, std::int64_t last_x,
                                std::int64_t last_y) {
    // A box of 4x4 enlarged 5 times: 20 pixels.
    const Box around{static_cast<double>(left) + 8, static_cast<double>(top) + 8, 4, 4};
    const TrainingCrop crop = training_crop(around, 5.0, 20);
    REQUIRE(crop.left == left);
    REQUIRE(crop.top == top);
    const std::vector<std::uint8_t> ours = cut_out(image, crop).to_vector();
    std::vector<std::uint8_t> expected;
    for (std::int64_t y = top; y < top + 20; ++y) {
      for (std::int64_t x = left; x < left + 20; ++x) {
        const std::int64_t row = std::clamp<std::int64_t>(y, 0, last_y),
                           column = std::clamp<std::int64_t>(x, 0, last_x);
        for (std::int64_t c = 0; c < 3; ++c)
          expected.push_back(pixels[static_cast<std::size_t>((row * 50 + column) * 3 + c)]);
      }
    }
    CHECK(ours == expected);
  };
  check_square(3, 5, 49, 39);
  check_square(-6, -20, 49, 39);
  check_square(29, 19, 49, 39);  // one pixel short of the edges
  check_square(30, 20, 48, 38);  // reaches both
  check_square(35, 10, 48, 39);
  check_square(5, 36, 49, 38);
}

TEST_CASE("resizing keeps what is constant and follows what is linear") {
  auto image = noise(200, 240);
  std::fill(image.span().begin(), image.span().end(), std::uint8_t{131});
  for (const int output : {1, 7, 50, 288}) {
    for (const std::uint8_t value :
         cut_out(image, training_crop({100, 80, 10, 14}, 5.0, output)).to_vector())
      CHECK(value == 131);
  }
  for (std::int64_t y = 0; y < 200; ++y) {
    for (std::int64_t x = 0; x < 240; ++x) {
      for (std::int64_t c = 0; c < 3; ++c)
        image.data()[(y * 240 + x) * 3 + c] = static_cast<std::uint8_t>(c == 0 ? x : y);
    }
  }
  const TrainingCrop crop = training_crop({100, 80, 16, 16}, 5.0, 288);
  const auto pixels = cut_out(image, crop);
  for (int i = 2; i < 286; ++i) {
    const double source = (i + 0.5) / crop.factor() - 0.5;
    // Rounded to the nearest, after two terms were cut off to quarters.
    const double red =
        pixels.data()[(140 * 288 + i) * 3] - (source + static_cast<double>(crop.left));
    const double green =
        pixels.data()[(i * 288 + 140) * 3 + 1] - (source + static_cast<double>(crop.top));
    CHECK(red > -1.01);
    CHECK(red < 0.51);
    CHECK(green > -1.01);
    CHECK(green < 0.51);
  }
}

TEST_CASE("the box that a crop is cut around lies in its middle") {
  const Box around{31.5, 12.25, 20, 30};
  const TrainingCrop crop = training_crop(around, 5.0, 288);
  CHECK(crop.side == 123);  // 5 sqrt(600) = 122.47
  const Box placed = crop.place(around);
  CHECK(placed.x + placed.width / 2 == doctest::Approx(143.5));
  CHECK(placed.y + placed.height / 2 == doctest::Approx(143.5));
  CHECK(placed.width == doctest::Approx(20 * 288.0 / 123));
  // Halves are rounded to even: 25 - 10/2 = 20 and 25.5 - 10/2 = 20.5, and 21.5 to 22.
  CHECK(training_crop({24, 24, 2, 2}, 5.0, 8).left == 20);
  CHECK(training_crop({24.5, 25.5, 2, 2}, 5.0, 8).left == 20);
  CHECK(training_crop({24.5, 25.5, 2, 2}, 5.0, 8).top == 22);
}

TEST_CASE("training crops that cannot be cut are refused") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(training_crop({0, 0, 0, 5}, 5.0, 8), InputError);
  CHECK_THROWS_AS(training_crop({nan, 0, 5, 5}, 5.0, 8), InputError);
  CHECK_THROWS_AS(training_crop({0, 0, nan, 5}, 5.0, 8), InputError);
  CHECK_THROWS_AS(training_crop({0, 0, 5, 5}, -1.0, 8), InputError);
  CHECK_THROWS_AS(training_crop({0, 0, 5, 5}, 5.0, 0), InputError);
  FrameRegion region;
  Tensor<std::uint8_t> wrong(Shape{8, 9, 3});
  const auto image = noise(4, 4);
  CHECK_THROWS_AS(cut(view_of(image), training_crop({0, 0, 2, 2}, 5.0, 8), region, wrong),
                  ShapeError);
  const auto pixel = noise(1, 1);  // no column to fall back to
  CHECK(cut_out(pixel, training_crop({0, 0, 1, 1}, 5.0, 2)).data()[0] == pixel.data()[0]);
}
