// SPDX-License-Identifier: MIT
// PrRoIPool, its adjoints and its derivatives in the box on every backend.
#include <doctest/doctest.h>

#include <limits>

#include "support/conformance.hpp"

using namespace atomtrack;
using test::conform;
using test::rejects_on;
using test::Tolerance;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

struct Rois {
  const char* name;
  std::vector<std::vector<double>> rows;  ///< batch index, x0, y0, x1, y1 in map cells
  bool smooth;  ///< no bin edge is near a whole cell for 1, 2, 3, 4 or 5 bins: second derivatives
                ///< exist
  double side_at_kink =
      0;  ///< where a bin much smaller than a cell lies around one: the roi's side
};

/// The kink of the next cell's hat is seen to within an epsilon of a cell, which the derivative of
/// a small bin's mean around it is sensitive to in inverse proportion to the bin's width.
Tolerance derivative(const Rois& rois, PrRoiGeometry g) {
  const int bins = std::max(g.pooled_height, g.pooled_width);
  return {64.0 + (rois.side_at_kink > 0.0 ? 0.5 * bins / rois.side_at_kink : 0.0)};
}

// Positions are multiples of 1/64 of a cell, which a float scales and adds exactly; where they are
// not, a float's edges differ from a double's in the last place.
const Rois kinds[] = {
    {"inside", {{0, 1.390625, 2.265625, 6.578125, 7.859375}}, true},
    {"two images",
     {{1, 1.390625, 2.265625, 6.578125, 7.859375}, {0, 0.421875, 0.328125, 9.140625, 6.953125}},
     true},
    {"overlapping",
     {{0, 1.390625, 2.265625, 6.578125, 7.859375},
      {0, 2.421875, 3.328125, 8.140625, 6.953125},
      {0, 1.390625, 2.265625, 6.578125, 7.859375}},
     true},
    {"over the top left", {{0, -2.609375, -1.734375, 3.578125, 2.859375}}, true},
    {"over the bottom right", {{1, 7.390625, 5.265625, 14.578125, 12.859375}}, true},
    {"over all sides", {{0, -3.609375, -2.734375, 15.578125, 13.421875}}, true},
    {"within one cell", {{1, 2.515625, 3.265625, 2.890625, 3.859375}}, true},
    {"faded border", {{0, -0.953125, -0.859375, -0.421875, -0.140625}}, true},
    {"outside", {{0, -9.5, -8.25, -1.5, -1.125}, {1, 11.25, 9.5, 20.5, 30.5}}, true},
    {"aligned to cells", {{0, 2, 1, 6, 5}, {1, 0, 0, 10, 8}}, false},
    {"touching the map's end", {{0, 10, 8, 12, 10}, {0, -1, -1, 0, 0}}, false},
    {"a thousandth of a cell",
     {{0, 3.25, 2.515625, 3.2509765625, 2.5166015625}, {1, 8.75, 7.75, 8.7509765625, 7.7509765625}},
     false},
    {"a thousandth around a cell",
     {{0, 2.99951171875, 1.99951171875, 3.00048828125, 2.00048828125}},
     false,
     0x1p-10},
    {"a thousandth from a cell on", {{0, 0, 0, 0.0009765625, 0.0009765625}}, false},
    {"one unit in the last place",
     {{0, 6.25, 4.75, 6.25 + 0x1p-21, 4.75 + 0x1p-21},
      {1, 0.625, 8.5, 0.625 + 0x1p-24, 8.5 + 0x1p-20}},
     true},
    {"immeasurably small",
     {{0, 0, 0, 0x1p-70, 0x1p-70}, {1, 3, 2, 3 + 0x1p-20, 2 + 0x1p-20}},
     false},
    {"huge", {{0, -1e12, -1e12, 1e12, 1e12}, {1, -1e9, 2, 3.5e9, 5}}, false},
    {"not finite",
     {{0, -infinity, 2, 3, 5}, {1, 2, 2, not_a_number, 5}, {1, 2, 2, infinity, infinity}},
     true},
    {"no area", {{0, 3, 2, 3, 6}, {0, 3, 2, 7, 2}, {1, 4, 4, 4, 4}}, true},
    {"inverted", {{0, 6, 2, 3, 6}, {0, 3, 6, 6, 2}, {1, 6, 6, 2, 2}}, true},
    {"nothing and something", {{0, 6, 2, 3, 6}, {1, 1.390625, 2.265625, 6.578125, 7.859375}}, true},
};

const PrRoiGeometry geometries[] = {
    {1, 1, 1.0}, {3, 3, 0.125}, {5, 5, 0.0625}, {2, 4, 0.25}, {5, 1, 2.0}};

// 11 x 9 cells; 1, few, and more channels than a vector holds.
const std::int64_t channel_counts[] = {1, 3, 16, 37};

std::string text(const char* rois, PrRoiGeometry g, std::int64_t channels) {
  return concatenate(rois, " ", g.pooled_height, "x", g.pooled_width, " scale=", g.spatial_scale,
                     " channels=", channels);
}

/// The arguments that all six functions share.
template <class B>
struct Arguments {
  using T = typename B::Scalar;
  Shape features, pooled;
  Tensor<T> rois;

  Arguments(B& bench, const std::vector<std::vector<double>>& rows, PrRoiGeometry geometry,
            std::int64_t channels) {
    std::vector<double> values;
    for (const auto& row : rows) {
      values.push_back(row[0]);
      for (std::size_t i = 1; i < 5; ++i) values.push_back(row[i] / geometry.spatial_scale);
    }
    const auto count = static_cast<std::int64_t>(rows.size());
    features = Shape{2, channels, 9, 11};
    pooled = Shape{count, channels, geometry.pooled_height, geometry.pooled_width};
    rois = bench.source("rois", Shape{count, 5}, values);
  }
};

template <class F>
void for_each_case(F f) {
  for (const Rois& rois : kinds) {
    for (const PrRoiGeometry& geometry : geometries) {
      for (const std::int64_t channels : channel_counts) {
        f(rois, geometry, channels, text(rois.name, geometry, channels));
      }
    }
  }
  static const Rois none{"none", {}, true};
  f(none, geometries[1], std::int64_t{3}, text("none", geometries[1], 3));
}

}  // namespace

TEST_SUITE_BEGIN("conformance");

TEST_CASE("prroi_pool") {
  for_each_case([](const Rois& rois, PrRoiGeometry g, std::int64_t channels, const auto& name) {
    // Features of one sign: the mean over a small box is then as large as they are, and the
    // tolerance is relative to it.
    conform("prroi_pool " + name, {16}, [&](auto& bench) {
      const Arguments a(bench, rois.rows, g, channels);
      const auto features = bench.source("features", a.features, 0.25, 1.25);
      auto pooled = bench.result("pooled", a.pooled);
      bench.primitives().prroi_pool(features, a.rois, g, pooled);
    });
  });
}

TEST_CASE("prroi_pool_adjoint") {
  for_each_case([](const Rois& rois, PrRoiGeometry g, std::int64_t channels, const auto& name) {
    for (const Write write : {Write::overwrite, Write::accumulate}) {
      conform(
          concatenate("prroi_pool_adjoint ", name, write == Write::accumulate ? " accumulate" : ""),
          {16}, [&](auto& bench) {
            const Arguments a(bench, rois.rows, g, channels);
            const auto grad_pooled = bench.source("grad_pooled", a.pooled);
            auto grad_features = bench.result("grad_features", a.features, write);
            bench.primitives().prroi_pool_adjoint(grad_pooled, a.rois, g, write, grad_features);
          });
    }
  });
}

TEST_CASE("prroi_pool_roi_gradient") {
  for_each_case([](const Rois& rois, PrRoiGeometry g, std::int64_t channels, const auto& name) {
    conform("prroi_pool_roi_gradient " + name, derivative(rois, g), [&](auto& bench) {
      const Arguments a(bench, rois.rows, g, channels);
      const auto features = bench.source("features", a.features);
      const auto grad_pooled = bench.source("grad_pooled", a.pooled);
      auto grad_rois = bench.result("grad_rois", a.rois.shape());
      bench.primitives().prroi_pool_roi_gradient(features, a.rois, grad_pooled, g, grad_rois);
    });
  });
}

TEST_CASE("prroi_pool_tangent") {
  for_each_case([](const Rois& rois, PrRoiGeometry g, std::int64_t channels, const auto& name) {
    conform("prroi_pool_tangent " + name, derivative(rois, g), [&](auto& bench) {
      const Arguments a(bench, rois.rows, g, channels);
      const auto features = bench.source("features", a.features);
      const auto tangent = bench.source("tangent", a.rois.shape());
      auto pooled = bench.result("pooled", a.pooled);
      bench.primitives().prroi_pool_tangent(features, a.rois, tangent, g, pooled);
    });
  });
}

TEST_CASE("prroi_pool_tangent_adjoint") {
  for_each_case([](const Rois& rois, PrRoiGeometry g, std::int64_t channels, const auto& name) {
    for (const Write write : {Write::overwrite, Write::accumulate}) {
      conform(concatenate("prroi_pool_tangent_adjoint ", name,
                          write == Write::accumulate ? " accumulate" : ""),
              derivative(rois, g), [&](auto& bench) {
                const Arguments a(bench, rois.rows, g, channels);
                const auto grad_pooled = bench.source("grad_pooled", a.pooled);
                const auto tangent = bench.source("tangent", a.rois.shape());
                auto grad_features = bench.result("grad_features", a.features, write);
                bench.primitives().prroi_pool_tangent_adjoint(grad_pooled, a.rois, tangent, g,
                                                              write, grad_features);
              });
    }
  });
}

TEST_CASE("prroi_pool_tangent_roi_gradient") {
  for_each_case([](const Rois& rois, PrRoiGeometry g, std::int64_t channels, const auto& name) {
    if (!rois.smooth) return;
    conform("prroi_pool_tangent_roi_gradient " + name, {64}, [&](auto& bench) {
      const Arguments a(bench, rois.rows, g, channels);
      const auto features = bench.source("features", a.features);
      const auto tangent = bench.source("tangent", a.rois.shape());
      const auto grad_pooled = bench.source("grad_pooled", a.pooled);
      auto grad_rois = bench.result("grad_rois", a.rois.shape());
      bench.primitives().prroi_pool_tangent_roi_gradient(features, a.rois, tangent, grad_pooled, g,
                                                         grad_rois);
    });
  });
}

TEST_CASE("PrRoIPool names a roi whose image is not in the batch") {
  const auto pool = [](double index) {
    return [index](auto& bench) {
      const PrRoiGeometry g{3, 3, 1.0};
      const Arguments a(bench, {{0, 1, 1, 5, 5}, {index, 1, 1, 5, 5}}, g, 3);
      const auto features = bench.source("features", a.features);
      auto pooled = bench.result("pooled", a.pooled);
      bench.primitives().prroi_pool(features, a.rois, g, pooled);
    };
  };
  for (const Device device : test::devices_under_test()) {
    if (!device.is_host()) continue;  // a GPU gives zeros instead
    for (const double index : {-1.0, 2.0, 1e9, not_a_number}) {
      const std::string name = concatenate("prroi_pool with image ", index);
      rejects_on<InputError, float>(device, name, pool(index));
      rejects_on<InputError, double>(device, name, pool(index));
    }
  }
}

TEST_SUITE_END();
