// SPDX-License-Identifier: MIT
#include "atomtrack/primitives/scalar/bilinear.hpp"

#include <doctest/doctest.h>

using atomtrack::scalar::bilinear_tap;

namespace {

// index, outputs, start, size, extent, step, offset
void check(const atomtrack::scalar::BilinearTap<double>& tap, std::int64_t first,
           std::int64_t second, double share) {
  CHECK(tap.first == first);
  CHECK(tap.second == second);
  CHECK(tap.share == doctest::Approx(share).epsilon(1e-14));
}

}  // namespace

TEST_CASE("a window of the output's size is read as it is") {
  for (std::int64_t i = 0; i < 5; ++i) {
    const auto tap = bilinear_tap<double>(i, 5, 2, 5, 20, 1, 0);
    CHECK(tap.first == 2 + i);
    CHECK(tap.share == 0.0);
  }
}

TEST_CASE("half-pixel centres: enlarging by two and reducing by three") {
  // Window of 2 pixels to 4: centres at -0.25 (clamped to 0), 0.25, 0.75, 1.25.
  check(bilinear_tap<double>(0, 4, 0, 2, 9, 1, 0), 0, 1, 0.0);
  check(bilinear_tap<double>(1, 4, 0, 2, 9, 1, 0), 0, 1, 0.25);
  check(bilinear_tap<double>(2, 4, 0, 2, 9, 1, 0), 0, 1, 0.75);
  check(bilinear_tap<double>(3, 4, 0, 2, 9, 1, 0), 1, 1, 0.25);  // no neighbour inside the window
  // Window of 6 pixels to 2: centres at 1 and 4.
  check(bilinear_tap<double>(0, 2, 3, 6, 20, 1, 0), 4, 5, 0.0);
  check(bilinear_tap<double>(1, 2, 3, 6, 20, 1, 0), 7, 8, 0.0);
}

TEST_CASE("outside the image the border repeats") {
  check(bilinear_tap<double>(0, 4, -2, 4, 3, 1, 0), 0, 0, 0.0);
  check(bilinear_tap<double>(1, 4, -2, 4, 3, 1, 0), 0, 0, 0.0);
  check(bilinear_tap<double>(2, 4, -2, 4, 3, 1, 0), 0, 1, 0.0);
  check(bilinear_tap<double>(3, 4, 1, 4, 3, 1, 0), 2, 2, 0.0);
  check(bilinear_tap<double>(1, 3, -1000000, 3, 3, 1, 0), 0, 0, 0.0);
}

TEST_CASE("of a decimated image only every step-th pixel from the offset on is seen") {
  // Extent 10, step 3, offset 2: pixels 2, 5, 8.
  check(bilinear_tap<double>(0, 3, 0, 3, 10, 3, 2), 2, 5, 0.0);
  check(bilinear_tap<double>(1, 3, 0, 3, 10, 3, 2), 5, 8, 0.0);
  check(bilinear_tap<double>(2, 3, 0, 3, 10, 3, 2), 8, 8, 0.0);
  check(bilinear_tap<double>(2, 3, 1, 3, 10, 3, 2), 8, 8, 0.0);
  // Offset 1: pixels 1, 4, 7.
  check(bilinear_tap<double>(0, 1, 0, 2, 10, 3, 1), 1, 4, 0.5);
  // A step larger than the image leaves one pixel.
  check(bilinear_tap<double>(1, 3, 0, 3, 10, 40, 9), 9, 9, 0.0);
}
