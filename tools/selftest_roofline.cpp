// SPDX-License-Identifier: MIT
#include "tools/selftest_roofline.hpp"

#include <algorithm>
#include <chrono>
#include <functional>

#include "atomtrack/primitives/primitives.hpp"
#include "atomtrack/tensor/memory.hpp"

namespace atomtrack::tools {
namespace {

constexpr int runs = 5;

/// Seconds that `work` takes on `device`: the best of `runs`, after one to warm up.
double seconds(Device device, const std::function<void()>& work) {
  double best = 0.0;
  for (int run = 0; run <= runs; ++run) {
    device_memory(device).synchronize();
    const auto start = std::chrono::steady_clock::now();
    work();
    device_memory(device).synchronize();
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
    if (run == 1 || (run > 1 && passed.count() < best)) best = passed.count();
  }
  return best;
}

}  // namespace

Roofline measure_roofline(Device device) {
  constexpr double long_enough = 5e-3;  // seconds: many times what a launch costs
  constexpr std::int64_t largest = 8192;
  Primitives<float>& primitives = primitives_for<float>(device);
  Roofline roofline;
  for (std::int64_t side = 1024;; side *= 2) {
    const Tensor<float> a = Tensor<float>::full(Shape{side, side}, 0.5F, device);
    Tensor<float> c(Shape{side, side}, device), d(Shape{side, side}, device);
    const double product =
        seconds(device, [&] { primitives.gemm(false, true, a, a, Write::overwrite, c); });
    const auto n = static_cast<double>(side);
    roofline.operations = 2 * n * n * n / product;
    if (product < long_enough && side < largest) continue;
    constexpr int copies = 8;
    const double copying = seconds(device, [&] {
      for (int i = 0; i < copies; ++i) primitives.copy(c, d);
    });
    roofline.bytes = copies * 2 * n * n * sizeof(float) / copying;
    return roofline;
  }
}

double StageWork::floor(const Roofline& roofline) const {
  return 1e3 * std::max(operations / roofline.operations, bytes / roofline.bytes);
}

std::vector<StageWork> stage_work() {
  constexpr double giga = 1e9, mega = 1e6;
  return {{"features", 7.7 * giga, (17 + 40) * mega},
          {"refine", 0.44 * giga, 5 * 8.7 * mega},
          {"update", 2 * giga, 12 * 21 * mega}};
}

}  // namespace atomtrack::tools
