// SPDX-License-Identifier: MIT
// What `atomtrack selftest` asks of a device, asked of the emulated one.
#include <doctest/doctest.h>

#include "tools/selftest_checks.hpp"

using namespace atomtrack;

namespace {

void check(const std::vector<tools::Comparison>& comparisons) {
  CHECK(!comparisons.empty());
  for (const tools::Comparison& one : comparisons) {
    CAPTURE(one.name);
    CAPTURE(one.error);
    CHECK(one.passed());
  }
}

}  // namespace

TEST_CASE("the emulated device passes selftest's comparison of primitives") {
  check(tools::compare_primitives(Device::cuda(0)));
}

TEST_CASE("derivatives on the emulated device are those of differences") {
  check(tools::compare_gradients(Device::cuda(0)));
}
