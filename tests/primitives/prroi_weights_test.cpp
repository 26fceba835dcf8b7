// SPDX-License-Identifier: MIT
#include "atomtrack/primitives/scalar/prroi_weights.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

using namespace atomtrack::scalar;

namespace {

/// The antiderivative of the hat function: 0 up to -1, 1 from 1 on.
double hat_integral(double t) {
  if (t <= -1.0) return 0.0;
  if (t <= 0.0) return (t + 1.0) * (t + 1.0) / 2.0;
  if (t <= 1.0) return 0.5 + t - t * t / 2.0;
  return 1.0;
}

/// A weight by the closed form, whose differences cancel only for small bins.
double closed_form(double start, double end, int index, int count, int cell) {
  const double width = (end - start) / count;
  const double low = start + width * index - cell, high = start + width * (index + 1) - cell;
  return (hat_integral(high) - hat_integral(low)) / width;
}

double slope_at_zero(const std::function<double(double)>& f) {
  const double h = 1e-4;
  return (8.0 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12.0 * h);
}

struct Extent {
  double start, end;
};

// No edge of 1, 3 or 5 bins within a thousandth of a whole cell.
const Extent generic[] = {{1.37, 6.83},   {-3.46, 14.21}, {2.515, 2.885},
                          {-0.93, -0.41}, {7.39, 9.62},   {9.53, 12.77}};

}  // namespace

TEST_CASE("hat is one at its cell, zero from the next on, and linear between") {
  CHECK(hat(0.0) == 1.0);
  CHECK(hat(0.25) == 0.75);
  CHECK(hat(-0.25) == 0.75);
  CHECK(hat(1.0) == 0.0);
  CHECK(hat(-3.0) == 0.0);
  CHECK(hat_slope(-0.5) == 1.0);
  CHECK(hat_slope(0.5) == -1.0);
  CHECK(hat_slope(1.5) == 0.0);
  // At a kink the slope from above.
  CHECK(hat_slope(-1.0) == 1.0);
  CHECK(hat_slope(0.0) == -1.0);
  CHECK(hat_slope(1.0) == 0.0);
}

TEST_CASE("a weight is the mean of the hat over its bin") {
  double largest_gap = 0.0;
  for (const Extent& e : generic)
    for (const int count : {1, 3, 5})
      for (int p = 0; p < count; ++p)
        for (int cell = -2; cell < 14; ++cell) {
          const auto bin = prroi_bin(e.start, e.end, p, count);
          const double expected = closed_form(e.start, e.end, p, count, cell);
          largest_gap = std::max(largest_gap, std::abs(prroi_weight(bin, cell) - expected));
        }
  CHECK(largest_gap < 1e-13);
}

TEST_CASE("the cells of a bin are those, and only those, with a weight") {
  constexpr std::int64_t extent = 11;
  const auto check = [&](double start, double end) {
    for (const int count : {1, 3, 5})
      for (int p = 0; p < count; ++p) {
        const auto bin = prroi_bin(start, end, p, count);
        const std::int64_t first = prroi_first_cell(bin, extent),
                           stop = prroi_end_cell(bin, extent);
        CHECK((first >= 0 && stop <= extent));
        int left_out = 0;
        for (std::int64_t cell = 0; cell < extent; ++cell) {
          const auto gradient = prroi_weight_gradient(bin, cell);
          const bool counts =
              prroi_weight(bin, cell) != 0.0 || gradient.start != 0.0 || gradient.end != 0.0;
          left_out += counts && (cell < first || cell >= stop);
        }
        CHECK(left_out == 0);
        CHECK(stop - first <= static_cast<std::int64_t>((end - start) / count) + 3);
      }
  };
  for (const Extent& e : generic) check(e.start, e.end);
  check(0.0, 10.0);
  check(2.0, 3.0);
  check(-1.0, 0.0);
  check(10.0, 11.0);
  check(11.0, 20.0);
  // Edge p of 3 or 5 bins meant for whole cell k, where rounding puts it on either side.
  for (int p = 1; p < 5; ++p)
    for (int k = 1; k < 10; ++k)
      for (int i = 0; i < 20; ++i) {
        const double start = 0.037 * i - 0.3;
        check(start, start + (k + 1 - start) / p * 3);
        check(start, start + (k + 1 - start) / p * 5);
      }
  check(-1e15, 1e15);
  check(1e15, 2e15);
}

TEST_CASE("the weights of a bin inside the map add up to one, however small it is") {
  for (const float size : {1e-6F, 1e-3F, 0.3F, 1.0F, 4.7F}) {
    for (const float start : {0.0F, 1.9996F, 2.0F, 3.3F}) {
      const auto bin = prroi_bin(start, start + size, 0, 1);
      float sum = 0.0F;
      for (int cell = 0; cell < 11; ++cell) sum += prroi_weight(bin, cell);
      CHECK(std::abs(sum - 1.0F) < 4e-7F);
    }
  }
}

TEST_CASE("gradient, tangent and second derivative of a weight agree with differences") {
  for (const Extent& e : generic)
    for (const int count : {1, 3, 5})
      for (int p = 0; p < count; ++p)
        for (int cell = 0; cell < 11; ++cell) {
          CAPTURE(e.start);
          CAPTURE(count);
          CAPTURE(p);
          CAPTURE(cell);
          const auto weight = [&](double start, double end) {
            return prroi_weight(prroi_bin(start, end, p, count), cell);
          };
          const auto bin = prroi_bin(e.start, e.end, p, count);
          const auto gradient = prroi_weight_gradient(bin, cell);
          const double in_start =
              slope_at_zero([&](double t) { return weight(e.start + t, e.end); });
          const double in_end = slope_at_zero([&](double t) { return weight(e.start, e.end + t); });
          CHECK(std::abs(gradient.start - in_start) < 1e-9);
          CHECK(std::abs(gradient.end - in_end) < 1e-9);

          const PrRoiGradient<double> v{0.7, -1.3};
          CHECK(prroi_weight_tangent(bin, cell, v) ==
                doctest::Approx(v.start * gradient.start + v.end * gradient.end).epsilon(1e-14));
          const auto tangent = [&](double start, double end) {
            return prroi_weight_tangent(prroi_bin(start, end, p, count), cell, v);
          };
          const auto second = prroi_weight_tangent_gradient(bin, cell, v);
          const double of_start =
              slope_at_zero([&](double t) { return tangent(e.start + t, e.end); });
          const double of_end =
              slope_at_zero([&](double t) { return tangent(e.start, e.end + t); });
          const double magnitude = 1.0 + std::abs(of_start) + std::abs(of_end);
          CHECK(std::abs(second.start - of_start) < 1e-7 * magnitude);
          CHECK(std::abs(second.end - of_end) < 1e-7 * magnitude);
        }
}

TEST_CASE("float derivatives of small bins keep their digits") {
  // Across a cell, where the closed form would lose every digit, and beside it.
  for (const double start : {1.99951171875, 2.0, 3.25, 7.75}) {
    for (const double size : {0.0009765625, 0.00006103515625}) {
      for (int cell = 1; cell < 10; ++cell) {
        const auto exact = prroi_bin(start, start + size, 0, 1);
        const auto rounded =
            prroi_bin(static_cast<float>(start), static_cast<float>(start + size), 0, 1);
        CAPTURE(start);
        CAPTURE(size);
        CAPTURE(cell);
        CHECK(std::abs(prroi_weight(rounded, cell) - prroi_weight(exact, cell)) < 2e-7);
        const auto gradient = prroi_weight_gradient(exact, cell);
        const auto came = prroi_weight_gradient(rounded, cell);
        CHECK(std::abs(came.start - gradient.start) < 1e-6);
        CHECK(std::abs(came.end - gradient.end) < 1e-6);
      }
    }
  }
}

TEST_CASE("a bin too narrow for the scalar type is a point") {
  const float start = 3.25F, end = std::nextafter(start, 4.0F);
  for (int p = 0; p < 16; ++p) {  // sixteen bins within one unit in the last place
    const auto bin = prroi_bin(start, end, p, 16);
    CHECK(prroi_weight(bin, 3) == doctest::Approx(0.75));
    CHECK(prroi_weight(bin, 4) == doctest::Approx(0.25));
    const auto gradient = prroi_weight_gradient(bin, 3);
    CHECK(gradient.start + gradient.end == doctest::Approx(-1.0));
    const auto second = prroi_weight_tangent_gradient(bin, 3, {1.0F, 1.0F});
    CHECK(second.start == 0.0F);
    CHECK(second.end == 0.0F);
  }
}

TEST_CASE("a roi has an area when both sides are positive and finite") {
  const double infinity = std::numeric_limits<double>::infinity();
  const double not_a_number = std::numeric_limits<double>::quiet_NaN();
  CHECK(prroi_has_area(1.0, 2.0, 1.5, 2.5));
  CHECK_FALSE(prroi_has_area(1.0, 2.0, 1.0, 2.5));
  CHECK_FALSE(prroi_has_area(1.0, 2.0, 3.0, 1.0));
  CHECK_FALSE(prroi_has_area(1.0, not_a_number, 3.0, 4.0));
  CHECK_FALSE(prroi_has_area(-infinity, 0.0, 3.0, 4.0));
  CHECK_FALSE(prroi_has_area(infinity, 0.0, infinity, 4.0));
}
