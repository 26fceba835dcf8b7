// SPDX-License-Identifier: MIT
#include "atomtrack/tracker/labels.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

using namespace atomtrack;

TEST_CASE("the label's width does not depend on the target") {
  for (const Box& box : {Box{10, 20, 30, 40}, Box{0, 0, 5, 100}, Box{3, 4, 300, 200}}) {
    const Options released;
    CHECK(label_sigma(Target(box, released).base_size(), released) == doctest::Approx(0.9));
    const Options vot = Options::vot2018();
    CHECK(label_sigma(Target(box, vot).base_size(), vot) == doctest::Approx(0.875));
  }
}

TEST_CASE("the label follows the target's offset from where the sample was cut") {
  Options options;
  const RowCol even = label_centre({10, 20}, {10, 20}, 2.0, options);
  CHECK(even.row == 0.5);  // an even filter shifts its result by half a cell
  CHECK(even.col == 0.5);
  const RowCol moved = label_centre({42, 12}, {10, 20}, 2.0, options);
  CHECK(moved.row == doctest::Approx(0.5 + 1.0));  // 32 pixels of the frame, 16 of the crop
  CHECK(moved.col == doctest::Approx(0.5 - 0.25));
  options.filter_size = 3;
  CHECK(label_centre({10, 20}, {10, 20}, 2.0, options).row == 0.0);
}

TEST_CASE("a label is one at its centre and falls off by its deviation") {
  std::vector<float> label(7 * 9);
  gaussian_label({1, -2}, {1.5, 0.5}, 7, 9, label.data());  // the middle is (3, 4)
  const auto at = [&](int i, int j) { return label[static_cast<std::size_t>(i * 9 + j)]; };
  CHECK(at(4, 2) == 1.0F);
  CHECK(at(5, 2) == doctest::Approx(std::exp(-1 / (2 * 1.5 * 1.5))));
  CHECK(at(4, 3) == doctest::Approx(std::exp(-1 / (2 * 0.5 * 0.5))));
  CHECK(at(5, 3) == doctest::Approx(at(5, 2) * at(4, 3)));
  CHECK(*std::max_element(label.begin(), label.end()) == 1.0F);
}
