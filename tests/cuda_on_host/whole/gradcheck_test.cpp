// SPDX-License-Identifier: MIT
// Every derivative of `atomtrack gradcheck`, computed on the emulated device.
#include <doctest/doctest.h>

#include "tools/gradient_cases.hpp"

using namespace atomtrack;

TEST_CASE("every derivative on the emulated device agrees with a numeric one") {
  const auto cases = tools::gradient_cases(Device::cuda(0));
  CHECK(cases.size() > 50);
  for (const tools::GradientCase& one : cases) {
    CAPTURE(one.op);
    const GradientReport report = tools::check(one);
    INFO(report.table());
    CHECK(report.passed());
  }
}
