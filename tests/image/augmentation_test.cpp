// SPDX-License-Identifier: MIT
#include "atomtrack/image/augmentation.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "support/compare.hpp"

using namespace atomtrack;
using test::absolute_difference;
using Kind = Augmentation::Kind;

namespace {

Tensor<float> noise(std::int64_t side) {
  RandomSource random(7);
  Tensor<float> patch(Shape{1, 2, side, side});
  for (float& value : patch.span()) value = static_cast<float>(random.uniform(0, 255));
  return patch;
}

/// One bright pixel.
Tensor<float> impulse(std::int64_t side, std::int64_t row, std::int64_t col) {
  auto patch = Tensor<float>::zeros(Shape{1, 1, side, side});
  patch.data()[row * side + col] = 1.0F;
  return patch;
}

Tensor<float> augmented(const Tensor<float>& patch, const Augmentation& augmentation,
                        std::int64_t side) {
  Tensor<float> crop(patch.shape().with(2, side).with(3, side));
  augment(patch, augmentation, crop);
  return crop;
}

float at(const Tensor<float>& image, std::int64_t row, std::int64_t col) {
  return image.data()[row * image.extent(3) + col];
}

}  // namespace

TEST_CASE("the first frame's augmentations, in order") {
  RandomSource random(0);
  std::vector<double> draws;
  for (int i = 0; i < 36; ++i) draws.push_back((i + 0.3) / 36.0);
  random.replay(draws);
  const auto list = first_frame_augmentations(288, 1.0 / 3.0, random);
  CHECK(random.replay_remaining() == 0);
  REQUIRE(list.size() == 23);
  CHECK(list[0].kind == Kind::identity);
  const int translations[4][2] = {{86, 86}, {-86, 86}, {86, -86}, {-86, -86}};
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(list[1 + i].kind == Kind::translation);
    CHECK(list[1 + i].shift_row == translations[i][0]);
    CHECK(list[1 + i].shift_col == translations[i][1]);
  }
  CHECK(list[5].kind == Kind::flip);
  for (std::size_t i = 6; i < 11; ++i) CHECK(list[i].kind == Kind::blur);
  CHECK(list[6].sigma_row == 2.0);
  CHECK(list[6].sigma_col == 0.2);
  for (std::size_t i = 11; i < 23; ++i) CHECK(list[i].kind == Kind::rotation);
  CHECK(list[21].angle == -60.0);
  CHECK(list[22].angle == 60.0);
  for (std::size_t i = 5; i < 23; ++i) {  // row first, truncated toward zero
    CHECK(list[i].shift_row == static_cast<int>((draws[2 * (i - 5)] - 0.5) * 96));
    CHECK(list[i].shift_col == static_cast<int>((draws[2 * (i - 5) + 1] - 0.5) * 96));
  }
}

TEST_CASE("random shifts reach a sixth of the crop on either side") {
  RandomSource random(3);
  int lowest = 0, highest = 0;
  for (int i = 0; i < 200; ++i) {
    for (const Augmentation& a : first_frame_augmentations(288, 1.0 / 3.0, random)) {
      if (a.kind == Kind::identity || a.kind == Kind::translation) continue;
      lowest = std::min({lowest, a.shift_row, a.shift_col});
      highest = std::max({highest, a.shift_row, a.shift_col});
    }
  }
  CHECK(lowest == -47);
  CHECK(highest == 47);
}

TEST_CASE("a shift moves the content down and to the right, and the border repeats") {
  const auto patch = impulse(20, 9, 8);
  CHECK(at(augmented(patch, {Kind::identity}, 10), 4, 3) == 1.0F);
  CHECK(at(augmented(patch, {Kind::translation, 3, -2}, 10), 7, 1) == 1.0F);
  // 9 to 4 pixels: the padding before is floor(-5 / 2), three pixels are cut off.
  CHECK(at(augmented(impulse(9, 3, 4), {Kind::identity}, 4), 0, 1) == 1.0F);
  const auto corner = augmented(impulse(8, 0, 0), {Kind::translation, 4, 5}, 6);
  for (int i = 0; i < 6; ++i) {
    for (int j = 0; j < 6; ++j) CHECK(at(corner, i, j) == (i <= 3 && j <= 4 ? 1.0F : 0.0F));
  }
}

TEST_CASE("a flip mirrors left and right") {
  const auto patch = noise(12);
  const auto once = augmented(patch, {Kind::flip}, 12);
  CHECK(at(once, 3, 2) == at(patch, 3, 9));
  CHECK(absolute_difference(augmented(once, {Kind::flip}, 12), patch) == 0.0);
}

TEST_CASE("blur: normalised, of the width asked for per axis, with zeros outside the patch") {
  const auto spread = augmented(impulse(41, 20, 20), {Kind::blur, 0, 0, 3.0, 1.0}, 41);
  double total = 0, rows = 0, columns = 0;
  for (int i = 0; i < 41; ++i) {
    for (int j = 0; j < 41; ++j) {
      const double value = at(spread, i, j);
      total += value;
      rows += value * (i - 20) * (i - 20);
      columns += value * (j - 20) * (j - 20);
      CHECK(value == doctest::Approx(at(spread, 40 - i, 40 - j)));
    }
  }
  CHECK(total == doctest::Approx(1.0));
  CHECK(at(spread, 14, 20) > 0.0F);  // the taps end at twice the deviation
  CHECK(at(spread, 13, 20) == 0.0F);
  CHECK(at(spread, 20, 22) > 0.0F);
  CHECK(at(spread, 20, 23) == 0.0F);
  CHECK(rows > 6 * columns);

  const auto flat =
      augmented(Tensor<float>::full(Shape{1, 1, 30, 30}, 8.0F), {Kind::blur, 0, 0, 2.0, 2.0}, 30);
  CHECK(at(flat, 15, 15) == doctest::Approx(8.0));
  CHECK(at(flat, 0, 15) < 6.0F);
  CHECK(at(flat, 0, 0) == doctest::Approx(at(flat, 0, 15) * at(flat, 15, 0) / 8.0));
}

TEST_CASE("a rotation turns counter-clockwise about the patch's middle") {
  const auto turned = augmented(impulse(9, 4, 6), {Kind::rotation, 0, 0, 0, 0, 90}, 9);
  CHECK(at(turned, 2, 4) == doctest::Approx(1.0));  // from the right to the top
  CHECK(at(turned, 6, 4) == doctest::Approx(0.0));
}

TEST_CASE("a rotation by nothing cuts what the identity cuts") {
  for (const int side : {10, 11}) {
    const auto patch = noise(17);
    const Augmentation still{Kind::rotation, 2, -3, 0, 0, 0.0};
    CHECK(absolute_difference(augmented(patch, still, side),
                              augmented(patch, {Kind::identity, 2, -3}, side)) == 0.0);
  }
}

TEST_CASE("there and back again") {
  // Bilinear interpolation twice blurs noise; a smooth patch returns, away from the border.
  Tensor<float> patch(Shape{1, 1, 64, 64});
  for (int i = 0; i < 64; ++i) {
    for (int j = 0; j < 64; ++j)
      patch.data()[i * 64 + j] = static_cast<float>(std::sin(i * 0.15) + std::cos(j * 0.1));
  }
  const auto back = augmented(augmented(patch, {Kind::rotation, 0, 0, 0, 0, 30}, 64),
                              {Kind::rotation, 0, 0, 0, 0, -30}, 24);
  CHECK(absolute_difference(back, augmented(patch, {Kind::identity}, 24)) < 0.02);
}

TEST_CASE("shapes that do not fit are refused") {
  const auto patch = noise(8);
  Tensor<float> larger(Shape{1, 2, 9, 9}), other(Shape{1, 3, 4, 4}), flat(Shape{2, 4, 4});
  CHECK_THROWS_AS(augment(patch, {}, larger), ShapeError);
  CHECK_THROWS_AS(augment(patch, {}, other), ShapeError);
  CHECK_THROWS_AS(augment(patch, {}, flat), ShapeError);
}
