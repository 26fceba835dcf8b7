// SPDX-License-Identifier: MIT
// The number of threads, and several threads calling one backend at once.
#include <doctest/doctest.h>

#include <limits>
#include <thread>

#include "support/compare.hpp"
#include "support/conformance.hpp"

using namespace atomtrack;
using test::Bench;

namespace {

/// Restores the thread setting when a test ends.
struct KeptThreads {
  int before = threads();
  ~KeptThreads() { set_threads(before); }
};

/// A run through primitives of every kind; the results one after another.
std::vector<float> everything(Device device) {
  Bench<float> bench(device);
  Primitives<float>& p = bench.primitives();
  std::vector<float> all;
  const auto keep = [&](const Tensor<float>& result) {
    const std::vector<float> values = result.to_vector();
    all.insert(all.end(), values.begin(), values.end());
  };

  const Tensor<float> x = bench.source("x", Shape{3, 16, 20, 22});
  const Shape filters[] = {{16, 16, 3, 3}, {1, 16, 4, 4}, {24, 16, 1, 1}};
  for (const Shape& filter : filters) {
    const Tensor<float> w = bench.source("w", filter);
    const Conv2dGeometry geometry{1, filter[2] == 1 ? 0 : 1};
    Tensor<float> y(conv2d_shape(x.shape(), filter, geometry), device);
    Tensor<float> gx(x.shape(), device), gw(filter, device);
    p.conv2d(x, w, geometry, y);
    p.conv2d_data_adjoint(y, w, geometry, Write::overwrite, gx);
    p.conv2d_filter_adjoint(y, x, geometry, Write::overwrite, gw);
    keep(y);
    keep(gx);
    keep(gw);
  }

  const PrRoiGeometry pooling{5, 5, 1.0};
  const Tensor<float> rois =
      bench.source("rois", Shape{3, 5},
                   {0, 1.5, 2.25, 9.75, 12.5, 2, -3.5, 1.25, 30.5, 17.75, 1, 4.5, 4.25, 8.5, 9.25});
  Tensor<float> pooled(Shape{3, 16, 5, 5}, device), grad_features(x.shape(), device),
      grad_rois(rois.shape(), device);
  p.prroi_pool(x, rois, pooling, pooled);
  p.prroi_pool_adjoint(pooled, rois, pooling, Write::overwrite, grad_features);
  p.prroi_pool_roi_gradient(x, rois, pooled, pooling, grad_rois);
  keep(pooled);
  keep(grad_features);
  keep(grad_rois);

  const Tensor<float> a = bench.source("a", Shape{70, 90}), b = bench.source("b", Shape{90, 50});
  Tensor<float> c(Shape{70, 50}, device), row(Shape{50}, device);
  p.gemm(false, false, a, b, Write::overwrite, c);
  p.reduce_sum(c, Write::overwrite, row);
  p.combine(Combination::multiply, c, row, c);
  p.map({MapKind::pelu, 0.05}, c, c);
  keep(c);

  const CropWindow windows[] = {
      {-2, 3, 15, 16, 1, 0, 0}, {4, -5, 9, 30, 1, 0, 0}, {1, 1, 8, 8, 2, 1, 0}};
  Tensor<float> cropped(Shape{3, 16, 24, 24}, device);
  p.crop_resize(x, windows, cropped);
  keep(cropped);
  return all;
}

double largest_gap(const std::vector<float>& a, const std::vector<float>& b) {
  const auto count = static_cast<std::int64_t>(a.size());
  return test::relative_difference(Tensor<float>(Shape{count}, std::span<const float>(a)),
                                   Tensor<float>(Shape{count}, std::span<const float>(b)));
}

}  // namespace

TEST_CASE("the number of threads is set, read back and checked") {
  const KeptThreads kept;
  set_threads(3);
  CHECK(threads() == 3);
  CHECK_THROWS_WITH_AS(set_threads(0), "threads = 0: expected 1 or more", InputError);
  CHECK_THROWS_AS(set_threads(-2), InputError);
  CHECK(threads() == 3);
}

TEST_CASE("the same number of threads gives the same bits, another one the same numbers") {
  const KeptThreads kept;
  for (const Device device : test::devices_under_test()) {
    if (device == Device::reference()) continue;  // plain loops: neither threads nor state
    CAPTURE(device);
    set_threads(1);
    const std::vector<float> alone = everything(device);
    CHECK(everything(device) == alone);
    for (const int count : {2, 3, 5}) {
      CAPTURE(count);
      set_threads(count);
      const std::vector<float> together = everything(device);
      CHECK(everything(device) == together);
      // Sums over up to 1,300 positions are cut elsewhere and so rounded otherwise.
      CHECK(largest_gap(together, alone) < 32.0 * std::numeric_limits<float>::epsilon());
    }
  }
}

TEST_CASE("several threads may compute at once") {
  const KeptThreads kept;
  set_threads(2);
  for (const Device device : test::devices_under_test()) {
    if (device == Device::reference()) continue;  // plain loops: neither threads nor state
    CAPTURE(device);
    const std::vector<float> alone = everything(device);
    std::vector<std::vector<float>> results(4);
    {
      std::vector<std::thread> workers;
      for (std::vector<float>& result : results) {
        workers.emplace_back([&result, device] {
          for (int i = 0; i < 3; ++i) result = everything(device);
        });
      }
      for (std::thread& worker : workers) worker.join();
    }
    for (const std::vector<float>& result : results) CHECK(result == alone);
  }
}
