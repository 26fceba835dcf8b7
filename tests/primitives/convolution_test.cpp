// SPDX-License-Identifier: MIT
// conv2d, its two adjoints, and the poolings on every backend.
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <limits>

#include "support/conformance.hpp"
#include "support/precisions.hpp"

using namespace atomtrack;
using test::conform;
using test::exact;
using test::Tolerance;

namespace {

struct ConvolutionCase {
  Shape x, w;
  Conv2dGeometry geometry;
};

const ConvolutionCase convolutions[] = {
    // One element; a filter as large as the image; a filter that only padding makes room for.
    {{1, 1, 1, 1}, {1, 1, 1, 1}, {1, 0}},
    {{1, 1, 5, 5}, {1, 1, 5, 5}, {1, 0}},
    {{2, 3, 2, 1}, {2, 3, 3, 3}, {1, 1}},
    // 1x1, with and without stride and padding, odd channels, and several images.
    {{2, 5, 7, 3}, {3, 5, 1, 1}, {1, 0}},
    {{2, 5, 7, 6}, {3, 5, 1, 1}, {2, 0}},
    {{2, 5, 7, 6}, {3, 5, 1, 1}, {3, 0}},
    {{2, 5, 4, 3}, {3, 5, 1, 1}, {1, 2}},
    {{3, 16, 9, 9}, {32, 16, 1, 1}, {1, 0}},
    {{3, 16, 9, 8}, {32, 16, 1, 1}, {2, 0}},
    // 3x3, every combination of stride and padding that leaves columns over.
    {{1, 1, 6, 7}, {2, 1, 3, 3}, {1, 0}},
    {{2, 3, 7, 8}, {4, 3, 3, 3}, {1, 1}},
    {{2, 3, 7, 8}, {4, 3, 3, 3}, {2, 1}},
    {{2, 3, 8, 9}, {4, 3, 3, 3}, {2, 0}},
    {{2, 3, 8, 7}, {4, 3, 3, 3}, {3, 1}},
    {{2, 3, 5, 6}, {4, 3, 3, 3}, {4, 0}},
    {{2, 3, 5, 6}, {4, 3, 3, 3}, {1, 4}},
    {{2, 3, 5, 6}, {4, 3, 3, 3}, {2, 5}},
    // The same image and geometry with other filters, one after another: a backend that keeps
    // prepared kernels must not mix them up.
    {{2, 3, 7, 8}, {6, 3, 3, 3}, {1, 1}},
    {{2, 3, 7, 8}, {4, 3, 3, 2}, {1, 1}},
    {{2, 3, 7, 8}, {4, 3, 2, 3}, {1, 1}},
    {{3, 3, 7, 8}, {4, 3, 3, 3}, {1, 1}},
    // Even and oblong filters.
    {{2, 3, 6, 7}, {5, 3, 4, 4}, {1, 2}},
    {{2, 3, 6, 7}, {5, 3, 2, 2}, {2, 0}},
    {{2, 3, 6, 7}, {5, 3, 2, 5}, {1, 1}},
    {{1, 2, 9, 4}, {3, 2, 5, 1}, {2, 2}},
    // The stem: 7x7, stride 2, of three channels.
    {{1, 3, 31, 33}, {8, 3, 7, 7}, {2, 3}},
    {{2, 3, 32, 32}, {64, 3, 7, 7}, {2, 3}},
    // One output channel (the classifier's filter): even, odd and oblong, with and without padding.
    {{1, 1, 3, 4}, {1, 1, 4, 4}, {1, 2}},
    {{3, 6, 5, 7}, {1, 6, 4, 4}, {1, 2}},
    {{3, 6, 5, 7}, {1, 6, 3, 2}, {1, 0}},
    {{3, 6, 5, 7}, {1, 6, 1, 1}, {1, 0}},
    {{3, 6, 5, 7}, {1, 6, 3, 3}, {2, 1}},
    {{2, 4, 3, 3}, {1, 4, 2, 2}, {1, 5}},
    {{7, 64, 18, 18}, {1, 64, 4, 4}, {1, 2}},
    // Full blocks of channels, and a few more than a block.
    {{1, 16, 12, 12}, {16, 16, 3, 3}, {1, 1}},
    {{2, 32, 9, 9}, {64, 32, 3, 3}, {1, 1}},
    {{1, 17, 10, 11}, {33, 17, 3, 3}, {1, 1}},
    {{1, 64, 18, 18}, {64, 64, 3, 3}, {2, 1}},
    {{3, 128, 3, 3}, {40, 128, 3, 3}, {1, 0}},
    {{1, 2, 60, 90}, {3, 2, 3, 3}, {1, 1}},
    // Nothing: no images, no input channels, no output channels.
    {{0, 3, 7, 8}, {4, 3, 3, 3}, {1, 1}},
    {{0, 3, 7, 8}, {1, 3, 3, 3}, {1, 1}},
    {{0, 3, 7, 8}, {4, 3, 1, 1}, {1, 0}},
    {{2, 0, 5, 5}, {4, 0, 3, 3}, {1, 1}},
    {{2, 0, 5, 5}, {1, 0, 3, 3}, {1, 1}},
    {{2, 0, 5, 5}, {4, 0, 1, 1}, {1, 0}},
    {{2, 3, 5, 5}, {0, 3, 3, 3}, {1, 1}},
    {{2, 3, 5, 5}, {0, 3, 1, 1}, {1, 0}},
};

std::string text(const ConvolutionCase& c) {
  return concatenate("x=", c.x, " w=", c.w, " stride=", c.geometry.stride,
                     " padding=", c.geometry.padding);
}

/// Sums of `terms` products of numbers of either sign: rounding adds up like their square root, and
/// so does the result.
Tolerance sum_of(std::int64_t terms) {
  return {6.0 + 0.5 * std::sqrt(static_cast<double>(terms))};
}

const char* text(Write write) {
  return write == Write::accumulate ? " accumulate" : "";
}

struct PoolCase {
  Shape x;
  Pool2dGeometry geometry;
};

const PoolCase pools[] = {
    {{1, 1, 1, 1}, {1, 1, 0}},     {{1, 1, 2, 2}, {2, 2, 0}}, {{1, 1, 1, 1}, {3, 2, 1}},
    {{2, 3, 7, 8}, {2, 2, 0}},     {{2, 3, 7, 8}, {3, 2, 1}}, {{2, 3, 8, 9}, {3, 1, 1}},
    {{2, 3, 8, 9}, {3, 3, 0}},     {{2, 3, 8, 9}, {2, 3, 1}}, {{2, 3, 5, 5}, {4, 1, 2}},
    {{2, 3, 5, 6}, {5, 5, 0}},     {{2, 3, 9, 4}, {1, 2, 0}}, {{1, 64, 36, 36}, {3, 2, 1}},
    {{3, 2, 100, 120}, {3, 2, 1}}, {{0, 3, 7, 8}, {3, 2, 1}}, {{2, 0, 7, 8}, {3, 2, 1}},
};

std::string text(const PoolCase& c) {
  return concatenate("x=", c.x, " window=", c.geometry.window, " stride=", c.geometry.stride,
                     " padding=", c.geometry.padding);
}

}  // namespace

TEST_SUITE_BEGIN("conformance");

TEST_CASE("conv2d") {
  for (const ConvolutionCase& c : convolutions) {
    conform("conv2d " + text(c), sum_of(c.w[1] * c.w[2] * c.w[3]), [&](auto& bench) {
      const auto x = bench.source("x", c.x);
      const auto w = bench.source("w", c.w);
      auto y = bench.result("y", conv2d_shape(c.x, c.w, c.geometry));
      bench.primitives().conv2d(x, w, c.geometry, y);
    });
  }
}

TEST_CASE("conv2d_data_adjoint") {
  for (const ConvolutionCase& c : convolutions) {
    for (const Write write : {Write::overwrite, Write::accumulate}) {
      conform(concatenate("conv2d_data_adjoint ", text(c), text(write)),
              sum_of(c.w[0] * c.w[2] * c.w[3]), [&](auto& bench) {
                const auto gy = bench.source("gy", conv2d_shape(c.x, c.w, c.geometry));
                const auto w = bench.source("w", c.w);
                auto gx = bench.result("gx", c.x, write);
                bench.primitives().conv2d_data_adjoint(gy, w, c.geometry, write, gx);
              });
    }
  }
}

TEST_CASE("conv2d_filter_adjoint") {
  for (const ConvolutionCase& c : convolutions) {
    const Shape y = conv2d_shape(c.x, c.w, c.geometry);
    for (const Write write : {Write::overwrite, Write::accumulate}) {
      conform(concatenate("conv2d_filter_adjoint ", text(c), text(write)),
              sum_of(y[0] * y[2] * y[3]), [&](auto& bench) {
                const auto gy = bench.source("gy", y);
                const auto x = bench.source("x", c.x);
                auto gw = bench.result("gw", c.w, write);
                bench.primitives().conv2d_filter_adjoint(gy, x, c.geometry, write, gw);
              });
    }
  }
}

TEST_CASE_TEMPLATE("convolutions in a coarser precision are rounded, or refused by name", T, float,
                   double) {
  const ConvolutionCase cases[] = {{{2, 32, 9, 11}, {64, 32, 3, 3}, {1, 1}},
                                   {{3, 64, 18, 18}, {96, 64, 3, 3}, {2, 1}},
                                   {{2, 17, 10, 12}, {33, 17, 1, 1}, {2, 0}},
                                   {{2, 64, 9, 9}, {32, 64, 1, 1}, {1, 0}},
                                   {{2, 16, 8, 8}, {1, 16, 4, 4}, {1, 2}}};
  for (const Device device : test::devices_under_test()) {
    for (const ConvolutionCase& c : cases) {
      const Shape y_shape = conv2d_shape(c.x, c.w, c.geometry);
      // Each direction, with what comes of adding to ones.
      const auto results = [&](Precision precision) {
        test::Bench<T> bench(device);
        const auto x = bench.source("x", c.x), w = bench.source("w", c.w);
        const auto gy = bench.source("gy", y_shape);
        Conv2dGeometry geometry = c.geometry;
        geometry.precision = precision;
        std::vector<Tensor<T>> made{Tensor<T>(y_shape, device), Tensor<T>(c.x, device),
                                    Tensor<T>::full(c.w, T{1}).to(device)};
        bench.primitives().conv2d(x, w, geometry, made[0]);
        bench.primitives().conv2d_data_adjoint(gy, w, geometry, Write::overwrite, made[1]);
        bench.primitives().conv2d_filter_adjoint(gy, x, geometry, Write::accumulate, made[2]);
        return std::array{made[0].to_vector(), made[1].to_vector(), made[2].to_vector()};
      };
      const auto full = results(Precision::full);
      for (const Precision precision : {Precision::tf32, Precision::half, Precision::bfloat16}) {
        CAPTURE(device);
        CAPTURE(text(c));
        CAPTURE(static_cast<int>(precision));
        if (std::is_same_v<T, double> || !test::offers(device, precision)) {
          CHECK_THROWS_AS(results(precision), InputError);
          continue;
        }
        const auto coarse = results(precision);
        for (std::size_t i = 0; i < full.size(); ++i) {
          T furthest{0}, largest{0};
          for (std::size_t k = 0; k < full[i].size(); ++k) {
            furthest = std::max(furthest, std::abs(coarse[i][k] - full[i][k]));
            largest = std::max(largest, std::abs(full[i][k]));
          }
          CAPTURE(i);
          CHECK(furthest < largest * (precision == Precision::bfloat16 ? T(8e-3) : T(1e-3)));
          CHECK(furthest > largest * T(1e-6));  // but it was rounded
        }
      }
    }
  }
}

TEST_CASE("max_pool2d gives the maximum and where it is") {
  for (const PoolCase& c : pools) {
    const Shape y_shape = pool2d_shape(c.x, c.geometry);
    conform("max_pool2d " + text(c), exact, [&](auto& bench) {
      const auto x = bench.source("x", c.x);
      auto y = bench.result("y", y_shape);
      auto indices = bench.index_result("indices", y_shape);
      bench.primitives().max_pool2d(x, c.geometry, y, indices);
    });
    // Padding must not win although every value is below zero; here all values tie as well.
    conform("max_pool2d of a constant " + text(c), exact, [&](auto& bench) {
      const auto count = static_cast<std::size_t>(c.x.numel());
      const auto x = bench.source("x", c.x, std::vector<double>(count, -3.0));
      auto y = bench.result("y", y_shape);
      auto indices = bench.index_result("indices", y_shape);
      bench.primitives().max_pool2d(x, c.geometry, y, indices);
    });
  }
}

TEST_CASE("max_pool2d: the first of equals, NaN above all, minus infinity like any number") {
  const double not_a_number = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  const std::vector<std::vector<double>> maps{
      {1, 3, 3, 3, 2, 3, 3, 1, 0, 1, 3, 3, 2, 2, 2, 2},
      {1, not_a_number, 9, 1, 2, 2, infinity, not_a_number, not_a_number, 1, 2, 3, 4, 5, 6, 7},
      std::vector<double>(16, -infinity),
      {-infinity, -infinity, -infinity, -5, 1, 2, 3, 4, infinity, 1, 1, infinity, 0, 0, 0, -0.0}};
  for (std::size_t i = 0; i < maps.size(); ++i) {
    for (const Pool2dGeometry geometry : {Pool2dGeometry{2, 2, 0}, Pool2dGeometry{3, 1, 1}}) {
      const Shape x_shape{1, 1, 4, 4};
      conform(concatenate("max_pool2d of special values ", i, " window=", geometry.window), exact,
              [&](auto& bench) {
                const auto x = bench.source("x", x_shape, maps[i]);
                auto y = bench.result("y", pool2d_shape(x_shape, geometry));
                auto indices = bench.index_result("indices", pool2d_shape(x_shape, geometry));
                bench.primitives().max_pool2d(x, geometry, y, indices);
              });
    }
  }
}

TEST_CASE("average_pool2d and its adjoint") {
  for (const PoolCase& c : pools) {
    const Shape y_shape = pool2d_shape(c.x, c.geometry);
    conform("average_pool2d " + text(c), {6}, [&](auto& bench) {
      const auto x = bench.source("x", c.x);
      auto y = bench.result("y", y_shape);
      bench.primitives().average_pool2d(x, c.geometry, y);
    });
    for (const Write write : {Write::overwrite, Write::accumulate}) {
      conform(concatenate("average_pool2d_adjoint ", text(c), text(write)), {6}, [&](auto& bench) {
        const auto gy = bench.source("gy", y_shape);
        auto gx = bench.result("gx", c.x, write);
        bench.primitives().average_pool2d_adjoint(gy, c.geometry, write, gx);
      });
    }
  }
}

TEST_SUITE_END();
