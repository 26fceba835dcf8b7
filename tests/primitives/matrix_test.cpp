// SPDX-License-Identifier: MIT
// gemm and the scalars that stay on the device (dot, axpy, xpby) on every backend.
#include <doctest/doctest.h>

#include <cmath>

#include "support/conformance.hpp"

using namespace atomtrack;
using test::conform;
using test::Tolerance;

namespace {

struct Extents {
  std::int64_t m, n, k;
};

// Nothing to sum, one element, vectors, odd sizes, and sizes that BLAS cuts into blocks.
const Extents products[] = {{1, 1, 1}, {1, 1, 9},  {1, 7, 1},   {5, 1, 3},     {3, 5, 7},
                            {4, 4, 4}, {17, 3, 2}, {2, 19, 31}, {65, 33, 129}, {130, 257, 70},
                            {0, 3, 4}, {3, 0, 4},  {3, 4, 0},   {1, 300, 513}, {288, 18, 18}};

const Shape vectors[] = {{}, {0}, {1}, {7}, {3, 5, 2}, {4096}, {4097}, {250007}};

// A device scalar is a double on every bench, and its tolerance is in a double's epsilons: only the
// order of the sum may differ, whose rounding grows with the square root of its length.
Tolerance sum_of_doubles(const Shape& shape) {
  return {8.0 + 4.0 * std::sqrt(static_cast<double>(shape.numel()))};
}

}  // namespace

TEST_SUITE_BEGIN("conformance");

TEST_CASE("gemm with all transpositions") {
  for (const Extents& e : products) {
    for (const bool transpose_a : {false, true}) {
      for (const bool transpose_b : {false, true}) {
        for (const Write write : {Write::overwrite, Write::accumulate}) {
          conform(
              concatenate("gemm m=", e.m, " n=", e.n, " k=", e.k, transpose_a ? " a'" : "",
                          transpose_b ? " b'" : "",
                          write == Write::accumulate ? " accumulate" : ""),
              {4.0 + std::sqrt(static_cast<double>(e.k))}, [&](auto& bench) {
                const auto a = bench.source("a", transpose_a ? Shape{e.k, e.m} : Shape{e.m, e.k});
                const auto b = bench.source("b", transpose_b ? Shape{e.n, e.k} : Shape{e.k, e.n});
                auto c = bench.result("c", Shape{e.m, e.n}, write);
                bench.primitives().gemm(transpose_a, transpose_b, a, b, write, c);
              });
        }
      }
    }
  }
}

TEST_CASE("dot sums in double, whatever its arguments are") {
  for (const Shape& shape : vectors) {
    for (const Write write : {Write::overwrite, Write::accumulate}) {
      conform(concatenate("dot ", shape, write == Write::accumulate ? " accumulate" : ""),
              sum_of_doubles(shape), [&](auto& bench) {
                const auto x = bench.source("x", shape);
                const auto y = bench.source("y", shape);
                auto result = bench.scalar_result("result", write);
                bench.primitives().dot(x, y, write, result);
              });
    }
    conform(concatenate("dot with itself ", shape), sum_of_doubles(shape), [&](auto& bench) {
      const auto x = bench.source("x", shape);
      auto result = bench.scalar_result("result");
      bench.primitives().dot(x, x, Write::overwrite, result);
    });
  }
}

TEST_CASE("axpy and xpby take their factor from the device") {
  for (const Shape& shape : vectors) {
    for (const double alpha : {0.0, 1.0, -0.37}) {
      conform(concatenate("axpy alpha=", alpha, " ", shape), {2}, [&](auto& bench) {
        const auto x = bench.source("x", shape);
        const auto factor = bench.scalar_source("alpha", alpha);
        auto y = bench.in_place("y", shape);
        bench.primitives().axpy(-1.5, factor, x, y);
      });
      conform(concatenate("xpby beta=", alpha, " ", shape), {2}, [&](auto& bench) {
        const auto x = bench.source("x", shape);
        const auto factor = bench.scalar_source("beta", alpha);
        auto y = bench.in_place("y", shape);
        bench.primitives().xpby(x, factor, y);
      });
    }
  }
}

TEST_SUITE_END();

TEST_CASE_TEMPLATE("dot of floats keeps the digits that a float sum would lose", T, float, double) {
  for (const Device device : test::devices_under_test()) {
    // 2^24 + 1 ones, of which a float sum would lose the last.
    const std::int64_t count = (std::int64_t{1} << 24) + 1;
    if (device == Device::reference()) continue;  // the loops are too slow for this length
    const Tensor<T> ones = Tensor<T>::full(Shape{count}, T(1), device);
    Tensor<double> result(Shape{}, device);
    primitives_for<T>(device).dot(ones, ones, Write::overwrite, result);
    CHECK(result.item() == static_cast<double>(count));
  }
}

TEST_CASE_TEMPLATE("dot gives the same bits in every run and with any number of threads", T, float,
                   double) {
  const int before = threads();
  for (const Device device : test::devices_under_test()) {
    test::Bench<T> bench(device);
    const Tensor<T> x = bench.source("x", Shape{150001});
    const Tensor<T> y = bench.source("y", Shape{150001});
    std::vector<double> results;
    for (const int count : {1, 2, 3, 3}) {
      set_threads(count);
      Tensor<double> result(Shape{}, device);
      primitives_for<T>(device).dot(x, y, Write::overwrite, result);
      results.push_back(result.item());
    }
    CHECK(results == std::vector<double>(4, results[0]));
  }
  set_threads(before);
}
