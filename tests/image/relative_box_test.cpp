// SPDX-License-Identifier: MIT
#include "atomtrack/image/relative_box.hpp"

#include <doctest/doctest.h>

#include "support/goldens.hpp"

using namespace atomtrack;
using test::Golden;

TEST_CASE("relative boxes and their inverse agree with the goldens") {
  const Golden golden("metrics.h5");
  const auto boxes = golden.tensor<double>("rel_boxes/boxes").to_vector();
  const auto relative = golden.tensor<double>("rel_boxes/rel").to_vector();
  const auto back = golden.tensor<double>("rel_boxes/back").to_vector();
  const auto unit = golden.tensor<double>("rel_boxes/sz_norm").to_vector();
  REQUIRE(boxes.size() == 80);
  for (std::size_t i = 0; i < boxes.size(); i += 4) {
    using Row = std::array<double, 4>;
    const auto row = [i](const std::vector<double>& values) {
      return Row{values[i], values[i + 1], values[i + 2], values[i + 3]};
    };
    const Row ours = to_relative(row(boxes), unit[0], unit[1]);
    const Row ours_back = from_relative(row(relative), unit[0], unit[1]);
    for (std::size_t k = 0; k < 4; ++k) {
      CHECK(std::abs(ours[k] - row(relative)[k]) < 1e-6);
      CHECK(std::abs(ours_back[k] - row(back)[k]) < 1e-4);  // recorded in float, up to some hundred
    }
  }
}
