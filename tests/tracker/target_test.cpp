// SPDX-License-Identifier: MIT
#include "atomtrack/tracker/target.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace atomtrack;

TEST_CASE("a target's centre is that of its first and last pixel") {
  const Options options;
  const Box box{10, 20, 31, 40};
  const Target target(box, options);
  CHECK(target.position.row == 39.5);
  CHECK(target.position.col == 25.0);
  CHECK(target.box() == box);
  CHECK(target.scale == doctest::Approx(5 * std::sqrt(31.0 * 40.0) / 288));
  CHECK(target.base_size().row * target.base_size().col == doctest::Approx(57.6 * 57.6));
}

TEST_CASE("a refined size sets the scale by its area, a scale sets the size") {
  const Options options;
  Target target({10, 20, 20, 40}, options);
  const double scale = target.scale;
  target.set({50, 60}, {80, 40});
  CHECK(target.scale == doctest::Approx(2 * scale));
  CHECK(target.size.row == 80);
  target.set({50, 60}, {40, 80});  // another shape of the same area
  CHECK(target.scale == doctest::Approx(2 * scale));
  target.set_scale({1, 2}, 3 * scale);
  CHECK(target.size.row == doctest::Approx(120.0));
  CHECK(target.size.col == doctest::Approx(60.0));
  CHECK(target.position.row == 1.0);
}

TEST_CASE("at least the given share of the target stays inside the frame") {
  const RowCol size{10, 20};
  const auto clamped = [&](double row, double col) {
    return clamp_position({row, col}, size, 0.2, 100, 80);
  };
  CHECK(clamped(40, 50).row == 40.0);
  CHECK(clamped(40, 50).col == 50.0);
  CHECK(clamped(-50, -50).row == doctest::Approx(-3.0));
  CHECK(clamped(-50, -50).col == doctest::Approx(-6.0));
  CHECK(clamped(500, 500).row == doctest::Approx(83.0));
  CHECK(clamped(500, 500).col == doctest::Approx(106.0));
}

TEST_CASE("a target stays within what a frame can show") {
  const Options options;
  Target target({10, 10, 20, 20}, options);
  target.set({1e7, -1e7}, {1e9, 1e-9});
  target.keep_within(100, 80);
  CHECK(target.size.row == 1600.0);
  CHECK(target.size.col == 1.0);
  CHECK(target.position.row == doctest::Approx(1680.0));
  CHECK(target.position.col == doctest::Approx(-1.0));
  Target sane({10, 10, 20, 20}, options);
  sane.keep_within(100, 80);
  CHECK(sane.box() == Box{10, 10, 20, 20});
}

TEST_CASE("a steady target takes over a share of each change and keeps its first shape") {
  const Target target({10, 20, 40, 80}, Options::released());
  const RowCol refined{160, 40};
  const RowCol plain = target.steadied(refined, Options::released());
  CHECK(plain.row == 160);
  CHECK(plain.col == 40);

  Options options;
  options.size_gain = 0.5;
  const RowCol half = target.steadied(refined, options);
  CHECK(half.row == doctest::Approx(80 * std::sqrt(2.0)));
  CHECK(half.col == doctest::Approx(40));

  options.size_gain = 1.0;
  options.aspect_pull = 1.0;  // all of the shape, none of the area
  const RowCol shaped = target.steadied(refined, options);
  CHECK(shaped.row * shaped.col == doctest::Approx(160 * 40));
  CHECK(shaped.row / shaped.col == doctest::Approx(2));
}
