// SPDX-License-Identifier: MIT
// The conformance suite's own machinery: it must notice what it is there to notice.
#include "support/conformance.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace atomtrack;
using test::Bench;
using test::Tolerance;

namespace {

/// The complaints about a case whose oracle doubles a source and whose subject does what `wrong`
/// says.
template <class F>
std::vector<std::string> complaints_about(F wrong, Tolerance tolerance = {1.0}) {
  const auto arrays = [](auto& bench, auto body) {
    auto x = bench.source("x", Shape{2, 3});
    auto y = bench.result("y", Shape{2, 3});
    body(x, y);
  };
  Bench<double> oracle(Device::reference());
  arrays(oracle, [](auto& x, auto& y) {
    for (int i = 0; i < 6; ++i) y.data()[i] = 2.0 * x.data()[i];
  });
  Bench<float> subject(Device::cpu());
  arrays(subject, [&](auto& x, auto& y) {
    for (int i = 0; i < 6; ++i) y.data()[i] = 2.0F * x.data()[i];
    wrong(x.data(), y.data());
  });
  return test::complaints(subject, oracle, tolerance);
}

}  // namespace

TEST_CASE("a case that conforms gives no complaint") {
  CHECK(complaints_about([](float*, float*) {}).empty());
  CHECK(complaints_about([](float*, float*) {}, test::exact).empty());
}

TEST_CASE("writes outside a result or a source are noticed on both sides") {
  CHECK(complaints_about([](float*, float* y) { y[6] = 0.0F; }).size() == 1);
  CHECK(complaints_about([](float*, float* y) { y[-1] = 0.0F; }).size() == 1);
  CHECK(complaints_about([](float* x, float*) { x[6] = 0.0F; }).size() == 1);
}

TEST_CASE("a changed source is noticed") {
  const auto lines = complaints_about([](float* x, float*) { x[4] += 1.0F; });
  REQUIRE(lines.size() == 1);
  CHECK(lines[0] == "changed its source x");
}

TEST_CASE("elements left unwritten, non-finite or too far off are noticed") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(complaints_about([=](float*, float* y) { y[3] = nan; }).size() == 1);
  CHECK(complaints_about([](float*, float* y) {
          y[3] = std::numeric_limits<float>::infinity();
        }).size() == 1);
  const auto lines = complaints_about([](float*, float* y) { y[5] += 1e-5F; }, {8.0});
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].find("y[1,2]") == 0);
}

TEST_CASE("a tolerance is relative to the largest magnitude, or to each element's own") {
  const auto shift_small = [](float*, float* y) {
    int least = 0;
    for (int i = 0; i < 6; ++i) {
      if (std::abs(y[i]) < std::abs(y[least])) least = i;
    }
    y[least] *= 1.0F + 2e-6F;  // about 16 epsilons
  };
  CHECK(complaints_about(shift_small, {16.0, false}).empty());
  CHECK(complaints_about(shift_small, {8.0, true}).size() == 1);
}

TEST_CASE("an array starts with the same numbers for every scalar type") {
  Bench<float> narrow(Device::cpu());
  Bench<double> wide(Device::reference());
  const auto a = narrow.source("a", Shape{50}, -3.0, 7.0).to_vector();
  const auto b = wide.source("a", Shape{50}, -3.0, 7.0).to_vector();
  CHECK(std::vector<double>(a.begin(), a.end()) == b);
  CHECK(*std::max_element(b.begin(), b.end()) > 5.0);
  CHECK(*std::min_element(b.begin(), b.end()) < -1.0);
}
