// SPDX-License-Identifier: MIT
#include "atomtrack/tracker/localization.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "atomtrack/tensor/random.hpp"
#include "atomtrack/tracker/labels.hpp"

using namespace atomtrack;

namespace {

struct Hill {
  double row, col;  // cells from where no displacement is
  double height;
};

/// A score map with a Gaussian of the label's width for each hill.
Tensor<float> scores_with(const Options& options, std::initializer_list<Hill> hills) {
  const int cells = options.crop_size / 16;
  auto scores = Tensor<float>::zeros(Shape{1, 1, cells, cells});
  const double shift = options.filter_size % 2 == 0 ? 0.5 : 0.0;
  std::vector<float> label(static_cast<std::size_t>(cells * cells));
  for (const Hill& hill : hills) {
    gaussian_label({hill.row + shift, hill.col + shift}, {0.9, 0.9}, cells, cells, label.data());
    for (std::size_t i = 0; i < label.size(); ++i)
      scores.data()[i] += static_cast<float>(hill.height) * label[i];
  }
  return scores;
}

Localization localize(const Options& options, std::initializer_list<Hill> hills,
                      RowCol target_size = {57.6, 57.6}) {
  Localizer localizer(options, options.crop_size / 16);
  return localizer.localize(scores_with(options, hills), target_size);
}

}  // namespace

TEST_CASE("a score map shaped like its label says what the label was made for") {
  // Whatever the parities of map and filter: a target that did not move has not moved.
  for (const int crop_size : {96, 112, 288, 304}) {
    for (const int filter_size : {1, 2, 3, 4, 5}) {
      CAPTURE(crop_size);
      CAPTURE(filter_size);
      Options options;
      options.crop_size = crop_size;
      options.filter_size = filter_size;
      const int cells = crop_size / 16;
      Localizer localizer(options, cells);
      for (const RowCol moved : {RowCol{0, 0}, RowCol{16, -24}, RowCol{-5, 9}}) {
        const RowCol centre = label_centre(moved, {0, 0}, 1.0, options);
        Tensor<float> scores(Shape{1, 1, cells, cells});
        gaussian_label(centre, {0.9, 0.9}, cells, cells, scores.data());
        const Localization found = localizer.localize(scores, {40, 40});
        // A Gaussian of 0.9 cells is not quite band-limited: a pixel of error is its own.
        CHECK(std::abs(found.displacement.row - moved.row) <= 1.0);
        CHECK(std::abs(found.displacement.col - moved.col) <= 1.0);
        CHECK(found.state == State::tracked);
      }
    }
  }
}

TEST_CASE("interpolation agrees with the sum of the map's Fourier series") {
  RandomSource random(2);
  for (const int cells : {18, 19}) {
    Options options;
    options.crop_size = 16 * cells;
    options.filter_size = cells % 2 == 0 ? 4 : 5;
    Localizer localizer(options, cells);
    Tensor<float> scores(Shape{1, 1, cells, cells});
    for (float& value : scores.span()) value = static_cast<float>(random.uniform(-1, 1));
    const Tensor<float> map = localizer.interpolate(scores);
    if (cells % 2 == 1) {  // the odd map's series passes through its samples
      for (int i = 0; i < cells; ++i) {
        for (int j = 0; j < cells; ++j) {
          CHECK(map.data()[(16 * i + 8) * 304 + 16 * j + 8] ==
                doctest::Approx(scores.data()[i * cells + j]).epsilon(1e-4));
        }
      }
    } else {  // the even one's by a ninth of its highest frequency more
      auto corner = Tensor<float>::zeros(Shape{1, 1, cells, cells});
      corner.data()[0] = 1.0F;
      CHECK(localizer.interpolate(corner).data()[0] == doctest::Approx(19.0 / 18 * 19.0 / 18));
    }
  }
}

TEST_CASE("a low peak means that the target is lost") {
  CHECK(localize({}, {{0, 0, 0.3}}).state == State::tracked);
  CHECK(localize({}, {{0, 0, 0.2}}).state == State::lost);
  CHECK(localize(Options::vot2018(), {{0, 0, 0.02}}).state == State::tracked);
}

TEST_CASE("two peaks compete") {
  // Far is more than 0.8 * 144 = 115.2 pixels, 7.2 cells.
  const auto near_wins = localize({}, {{0, 0, 1.0}, {0, 8, 0.9}});
  CHECK(near_wins.state == State::hard_negative);
  CHECK(std::abs(near_wins.displacement.col) < 8);
  const auto far_higher = localize({}, {{0, 0, 0.9}, {0, 8, 1.0}});
  CHECK(far_higher.state == State::hard_negative);
  CHECK(std::abs(far_higher.displacement.col) < 8);  // the near one, although lower
  CHECK(far_higher.score > 0.95);                    // the map's highest score all the same
  CHECK(localize({}, {{0, 0, 1.0}, {0, 5, 0.9}}).state == State::uncertain);
  CHECK(localize({}, {{0, 8, 1.0}, {0, -8, 0.9}}).state == State::uncertain);
  CHECK(localize({}, {{0, 0, 1.0}, {0, 5, 0.6}}).state == State::hard_negative);
  CHECK(localize({}, {{0, 0, 1.0}, {0, 5, 0.4}}).state == State::tracked);
  // 0.6 of the highest, but too low by itself.
  CHECK(localize({}, {{0, 0, 0.4}, {0, 5, 0.24}}).state == State::tracked);
}

TEST_CASE("what is within the target's neighbourhood is the target") {
  CHECK(localize({}, {{0, 0, 1.0}, {0, 5, 0.9}}, {60, 60}).state == State::uncertain);
  CHECK(localize({}, {{0, 0, 1.0}, {0, 5, 0.9}}, {60, 300}).state == State::tracked);
  CHECK(localize({}, {{0, 0, 1.0}, {0, 5, 0.9}}, {300, 60}).state == State::uncertain);
  CHECK(localize({}, {{0, 0, 1.0}, {0, 5, 0.9}}, {1e300, 1e300}).state == State::tracked);
}

TEST_CASE("a cosine window prefers the middle") {
  Options options = Options::vot2018();
  const auto found = localize(options, {{0, 0, 0.8}, {0, 5, 1.0}});
  CHECK(std::abs(found.displacement.col) < 4);
  CHECK(found.score == doctest::Approx(0.8).epsilon(0.02));
  options.window_scores = false;
  CHECK(std::abs(localize(options, {{0, 0, 0.8}, {0, 5, 1.0}}).displacement.col - 80) < 4);
  // At 80 pixels from the middle the window is (1 + cos(2 pi 80 / 226)) / 2 = 0.19.
  options.window_scores = true;
  CHECK(localize(options, {{0, 5, 1.0}}).score ==
        doctest::Approx(0.5 * (1 + std::cos(2 * 3.14159265 * 79 / 226))).epsilon(0.05));
}

TEST_CASE("scores that are not numbers find nothing") {
  Localizer localizer(Options{}, 18);
  auto scores = scores_with({}, {{0, 0, 1.0}});
  scores.data()[100] = std::numeric_limits<float>::quiet_NaN();
  const Localization found = localizer.localize(scores, {50, 50});
  CHECK(found.state == State::lost);
  CHECK(found.score == 0.0);
  CHECK(found.displacement.row == 0.0);
  Tensor<float> wrong(Shape{1, 1, 17, 18});
  CHECK_THROWS_AS(localizer.localize(wrong, {50, 50}), ShapeError);
}
