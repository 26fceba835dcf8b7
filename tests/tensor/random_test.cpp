// SPDX-License-Identifier: MIT
#include "atomtrack/tensor/random.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "atomtrack/tensor/error.hpp"

using namespace atomtrack;

namespace {

std::vector<double> draws(RandomSource& source, int count) {
  std::vector<double> values;
  for (int i = 0; i < count; ++i) {
    values.push_back(source.uniform());
    values.push_back(source.normal());
    values.push_back(source.uniform(-3.0, 5.0));
    values.push_back(static_cast<double>(source.below(10)));
  }
  return values;
}

}  // namespace

TEST_CASE("the bits are splitmix64's published ones") {
  RandomSource source(1234567);
  CHECK(source.bits() == 6457827717110365317U);
  CHECK(source.bits() == 3203168211198807973U);
  CHECK(source.bits() == 9817491932198370423U);
  CHECK(source.bits() == 4593380528125082431U);
  CHECK(RandomSource(0).bits() == 0xE220A8397B1DCDAFU);
}

TEST_CASE("a seed gives the same numbers on every machine") {
  RandomSource source(7);
  CHECK(source.uniform() == 0.3898297483912715);
  // Two normals from one pair of uniforms; a library's cosine may differ in the last place.
  CHECK(source.normal() == doctest::Approx(0.14938676007064153).epsilon(1e-14));
  CHECK(source.normal(10.0, 2.0) ==
        doctest::Approx(10.0 + 2.0 * -0.10744871590675552).epsilon(1e-14));
  CHECK(source.uniform() == 0.5829302930280781);
  RandomSource a(42), b(42), c(43);
  const auto first = draws(a, 100);
  CHECK(draws(b, 100) == first);
  CHECK(draws(c, 100) != first);
}

TEST_CASE("uniform numbers stay in their range and fill it evenly") {
  RandomSource source(1);
  const int count = 100000;
  double sum = 0.0, squares = 0.0;
  std::vector<int> bins(10, 0);
  int outside = 0;
  for (int i = 0; i < count; ++i) {
    const double u = source.uniform();
    sum += u;
    squares += u * u;
    ++bins.at(static_cast<std::size_t>(u * 10.0));
    const double v = source.uniform(-2.0, 6.0);
    outside += u < 0.0 || u >= 1.0 || v < -2.0 || v >= 6.0;
  }
  CHECK(outside == 0);
  // Five standard deviations of each estimate.
  CHECK(sum / count == doctest::Approx(0.5).epsilon(0.01));
  CHECK(squares / count == doctest::Approx(1.0 / 3.0).epsilon(0.015));
  for (const int bin : bins) CHECK(std::abs(bin - count / 10) < 500);
}

TEST_CASE("normal numbers have the mean, deviation, skewness and tails asked for") {
  RandomSource source(2);
  const int count = 100000;
  double sum = 0.0, squares = 0.0, cubes = 0.0, products = 0.0, last = 0.0;
  int beyond_two = 0;
  for (int i = 0; i < count; ++i) {
    const double z = (source.normal(3.0, 0.5) - 3.0) / 0.5;
    sum += z;
    squares += z * z;
    cubes += z * z * z;
    products += z * last;
    last = z;
    beyond_two += std::abs(z) > 2.0;
  }
  const double error = 5.0 / std::sqrt(static_cast<double>(count));
  CHECK(std::abs(sum / count) < error);
  CHECK(std::abs(squares / count - 1.0) < error * std::sqrt(2.0));
  CHECK(std::abs(cubes / count) < error * std::sqrt(15.0));
  CHECK(std::abs(products / count) <
        error);  // neighbours, which one transform makes, are independent
  CHECK(std::abs(beyond_two / static_cast<double>(count) - 0.0455) < 0.0033);
}

TEST_CASE("indices are below their bound and all occur") {
  RandomSource source(3);
  std::vector<int> seen(7, 0);
  for (int i = 0; i < 7000; ++i) {
    ++seen.at(static_cast<std::size_t>(source.below(7)));
  }
  for (const int times : seen) CHECK(std::abs(times - 1000) < 150);
  CHECK(source.below(1) == 0);
  CHECK_THROWS_AS(source.below(0), InputError);
  CHECK_THROWS_AS(source.below(-4), InputError);
}

TEST_CASE("recorded values are drawn first, as they are, whatever is asked for") {
  RandomSource source(5), untouched(5);
  const std::vector<double> values{0.25, -7.5, 3.0, 100.0};
  source.replay(values);
  CHECK(source.replay_remaining() == 4);
  CHECK(source.uniform() == 0.25);
  CHECK(source.normal(10.0, 2.0) == -7.5);
  CHECK(source.below(5) == 3);
  CHECK(source.uniform(0.0, 1.0) == 100.0);
  CHECK(source.replay_remaining() == 0);
  // Replayed draws leave the generator where it was.
  CHECK(draws(source, 5) == draws(untouched, 5));
}

TEST_CASE("recordings queue up, and bits are never replayed") {
  RandomSource source(5), untouched(5);
  source.replay(std::vector<double>{1.0});
  source.replay(std::vector<float>{0.5F, 0.75F});
  CHECK(source.bits() == untouched.bits());
  CHECK(source.uniform() == 1.0);
  CHECK(source.uniform() == 0.5);
  CHECK(source.uniform() == 0.75);
  CHECK(source.uniform() == untouched.uniform());
}

TEST_CASE("a run continues bit for bit from its state, a spare normal included") {
  RandomSource source(11);
  draws(source, 3);
  source.normal();  // an odd number of normals: one is in store
  const RandomSource::State state = source.state();
  const auto expected = draws(source, 20);
  RandomSource other(999);
  other.restore(state);
  CHECK(draws(other, 20) == expected);
}
