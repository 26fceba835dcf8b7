// SPDX-License-Identifier: MIT
#include "atomtrack/primitives/scalar/maps.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <initializer_list>
#include <limits>

using namespace atomtrack;
using scalar::apply;
using scalar::combine;

namespace {

double slope(const Map& f, double x) {
  const double h = 1e-4;
  return (8.0 * (apply(f, x + h) - apply(f, x - h)) - (apply(f, x + 2 * h) - apply(f, x - 2 * h))) /
         (12.0 * h);
}

}  // namespace

TEST_CASE("each map is the function of its name") {
  const double x = 0.7, a = 0.3;
  CHECK(apply({MapKind::scale, a}, x) == a * x);
  CHECK(apply({MapKind::offset, a}, x) == x + a);
  CHECK(apply({MapKind::exp}, x) == std::exp(x));
  CHECK(apply({MapKind::log}, x) == std::log(x));
  CHECK(apply({MapKind::sqrt}, x) == std::sqrt(x));
  CHECK(apply({MapKind::square}, x) == x * x);
  CHECK(apply({MapKind::reciprocal}, x) == 1.0 / x);
  CHECK(apply({MapKind::sigmoid}, x) == doctest::Approx(std::tanh(x / 2) / 2 + 0.5).epsilon(1e-15));
  CHECK(apply({MapKind::abs}, -x) == x);
  CHECK(apply({MapKind::relu}, x) == x);
  CHECK(apply({MapKind::relu}, -x) == 0.0);
  CHECK(apply({MapKind::leaky_relu, a}, x) == x);
  CHECK(apply({MapKind::leaky_relu, a}, -x) == -a * x);
  CHECK(apply({MapKind::elu, a}, x) == x);
  CHECK(apply({MapKind::elu, a}, -x) == doctest::Approx(a * (std::exp(-x) - 1.0)).epsilon(1e-15));
  CHECK(apply({MapKind::pelu, a}, x) == x);
  CHECK(apply({MapKind::pelu, a}, -x) ==
        doctest::Approx(a * (std::exp(-x / a) - 1.0)).epsilon(1e-15));
}

TEST_CASE("each order of a piecewise map is the derivative of the order below") {
  for (const MapKind kind :
       {MapKind::abs, MapKind::relu, MapKind::leaky_relu, MapKind::elu, MapKind::pelu}) {
    for (const double x : {-1.9, -0.31, 0.42, 1.7}) {
      for (int order = 0; order < 3; ++order) {
        CAPTURE(static_cast<int>(kind));
        CAPTURE(x);
        CAPTURE(order);
        const double expected = slope({kind, 0.4, order}, x);
        const double scale = 1.0 + std::abs(expected);
        CHECK(std::abs(apply({kind, 0.4, order + 1}, x) - expected) < 1e-9 * scale);
      }
    }
  }
}

TEST_CASE("at a kink the derivative is the one from below, and PELU has none") {
  CHECK(apply({MapKind::abs, 0.0, 1}, 0.0) == 0.0);
  CHECK(apply({MapKind::relu, 0.0, 1}, 0.0) == 0.0);
  CHECK(apply({MapKind::leaky_relu, 0.2, 1}, 0.0) == 0.2);
  CHECK(apply({MapKind::elu, 0.2, 1}, 0.0) == 0.2);
  CHECK(apply({MapKind::pelu, 0.2, 1}, 0.0) == 1.0);
  CHECK(apply({MapKind::pelu, 0.2, 1}, -1e-12) == doctest::Approx(1.0));
}

TEST_CASE("maps are right at the ends of the number line") {
  const float infinity = std::numeric_limits<float>::infinity();
  CHECK(apply({MapKind::sigmoid}, infinity) == 1.0F);
  CHECK(apply({MapKind::sigmoid}, -infinity) == 0.0F);
  CHECK(apply({MapKind::sigmoid}, -1000.0F) == 0.0F);
  CHECK(apply({MapKind::pelu, 0.05}, -infinity) == -0.05F);
  CHECK(apply({MapKind::pelu, 0.05, 1}, -infinity) == 0.0F);
  CHECK(apply({MapKind::elu, 0.5}, -1000.0F) == -0.5F);
  CHECK(std::isnan(apply({MapKind::relu}, std::numeric_limits<float>::quiet_NaN())));
  // Near zero from below nothing cancels: expm1, not exp - 1.
  CHECK(apply({MapKind::pelu, 0.05F}, -1e-6F) == doctest::Approx(-1e-6).epsilon(1e-4));
  CHECK(apply({MapKind::elu, 1.0F}, -1e-6F) == doctest::Approx(-1e-6).epsilon(1e-5));
}

TEST_CASE("combinations") {
  CHECK(combine(Combination::add, 3.0, 4.0) == 7.0);
  CHECK(combine(Combination::subtract, 3.0, 4.0) == -1.0);
  CHECK(combine(Combination::multiply, 3.0, 4.0) == 12.0);
  CHECK(combine(Combination::divide, 3.0, 4.0) == 0.75);
  CHECK(combine(Combination::divide_or_zero, 3.0, 4.0) == 0.75);
  CHECK(combine(Combination::divide_or_zero, 3.0, 0.0) == 0.0);
  CHECK(combine(Combination::divide_or_zero, 0.0, -0.0) == 0.0);
  CHECK(combine(Combination::maximum, 3.0, 4.0) == 4.0);
  CHECK(combine(Combination::maximum, 4.0, 3.0) == 4.0);
}
