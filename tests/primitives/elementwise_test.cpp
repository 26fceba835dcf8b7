// SPDX-License-Identifier: MIT
// fill, copy, map, combine and reduce_sum on every backend.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "support/conformance.hpp"

using namespace atomtrack;
using test::conform;
using test::exact;
using test::Tolerance;

namespace {

// Empty, one element, a scalar, odd sizes, and enough elements for several threads.
const Shape shapes[] = {{}, {0}, {1}, {3, 0, 2}, {7}, {2, 3, 5, 7}, {100003}};

const char* name_of(MapKind kind) {
  switch (kind) {
    case MapKind::scale:
      return "scale";
    case MapKind::offset:
      return "offset";
    case MapKind::exp:
      return "exp";
    case MapKind::log:
      return "log";
    case MapKind::sqrt:
      return "sqrt";
    case MapKind::square:
      return "square";
    case MapKind::reciprocal:
      return "reciprocal";
    case MapKind::sigmoid:
      return "sigmoid";
    case MapKind::abs:
      return "abs";
    case MapKind::relu:
      return "relu";
    case MapKind::leaky_relu:
      return "leaky_relu";
    case MapKind::elu:
      return "elu";
    case MapKind::pelu:
      return "pelu";
  }
  return "?";
}

struct MapCase {
  Map f;
  double low, high;  ///< the sources' range
  Tolerance tolerance;
};

// Each within a few units in the last place of its own value; a sum before a function of it (x + a,
// e^x - 1) may lose digits of the argument, which `per_element` would not forgive near a zero.
const MapCase maps[] = {
    {{MapKind::scale, -1.75}, -2, 2, {1, true}},
    {{MapKind::offset, 0.3}, -2, 2, {2}},
    {{MapKind::exp}, -6, 6, {4, true}},
    {{MapKind::log}, 0.01, 9, {4}},
    {{MapKind::sqrt}, 0, 9, {2, true}},
    {{MapKind::square}, -3, 3, {2, true}},
    {{MapKind::reciprocal}, 0.1, 3, {2, true}},
    {{MapKind::reciprocal}, -3, -0.1, {2, true}},
    {{MapKind::sigmoid}, -9, 9, {4, true}},
    {{MapKind::abs, 0, 0}, -2, 2, exact},
    {{MapKind::abs, 0, 1}, -2, 2, exact},
    {{MapKind::abs, 0, 2}, -2, 2, exact},
    {{MapKind::relu, 0, 0}, -2, 2, exact},
    {{MapKind::relu, 0, 1}, -2, 2, exact},
    {{MapKind::relu, 0, 2}, -2, 2, exact},
    {{MapKind::leaky_relu, 0.25, 0}, -2, 2, exact},
    {{MapKind::leaky_relu, 0.25, 1}, -2, 2, exact},
    {{MapKind::leaky_relu, 0.25, 2}, -2, 2, exact},
    {{MapKind::elu, 0.5, 0}, -4, 2, {4, true}},
    {{MapKind::elu, 0.5, 1}, -4, 2, {4, true}},
    {{MapKind::elu, 0.5, 2}, -4, 2, {4, true}},
    {{MapKind::elu, 0.5, 3}, -4, 2, {4, true}},
    // The argument x / a is rounded, and the exponential magnifies that by |x / a| <= 8.
    {{MapKind::pelu, 0.5, 0}, -4, 2, {12, true}},
    {{MapKind::pelu, 0.5, 1}, -4, 2, {12, true}},
    {{MapKind::pelu, 0.5, 2}, -4, 2, {12, true}},
    {{MapKind::pelu, 0.5, 3}, -4, 2, {12, true}},
    {{MapKind::pelu, 0.05, 1}, -0.4, 0.2, {12, true}},
    {{MapKind::pelu, 0.05, 2}, -0.4, 0.2, {12, true}},
};

std::string text(const Map& f) {
  return concatenate(name_of(f.kind), " a=", f.a, " order=", f.order);
}

struct CombineCase {
  Shape a, b, result;
};

const CombineCase broadcasts[] = {
    {{}, {}, {}},
    {{}, {4}, {4}},
    {{5}, {}, {5}},
    {{1}, {7}, {7}},
    {{2, 3, 4}, {2, 3, 4}, {2, 3, 4}},
    {{2, 3, 4}, {4}, {2, 3, 4}},
    {{4}, {2, 3, 4}, {2, 3, 4}},
    {{2, 3, 1}, {2, 3, 4}, {2, 3, 4}},
    {{2, 3, 4}, {3, 1}, {2, 3, 4}},
    {{2, 1, 4}, {1, 3, 1}, {2, 3, 4}},
    {{5, 1}, {1, 6}, {5, 6}},
    {{3, 5, 4, 4}, {1, 5, 1, 1}, {3, 5, 4, 4}},
    {{3, 5, 4, 4}, {3, 5, 1, 1}, {3, 5, 4, 4}},
    {{3, 5, 4, 4}, {3, 1, 4, 4}, {3, 5, 4, 4}},
    {{1, 1, 1}, {1, 1}, {2, 3, 4}},  // both repeat into a larger result
    {{2, 1, 3, 1, 2, 1}, {1, 4, 1, 2, 1, 3}, {2, 4, 3, 2, 2, 3}},
    {{0, 3}, {3}, {0, 3}},
    {{0, 1}, {1, 3}, {0, 3}},
    {{1, 0}, {2, 1}, {2, 0}},
    {{64, 40, 50}, {64, 1, 1}, {64, 40, 50}},  // several threads, a long inner loop
    {{40000, 3}, {3}, {40000, 3}},             // several threads, a short inner loop
    {{70001}, {70001}, {70001}},
};

struct ReduceCase {
  Shape from, to;
};

const ReduceCase reductions[] = {
    {{}, {}},
    {{5}, {}},
    {{5}, {1}},
    {{5}, {5}},
    {{2, 3, 4}, {}},
    {{2, 3, 4}, {1, 1, 1}},
    {{2, 3, 4}, {4}},
    {{2, 3, 4}, {3, 1}},
    {{2, 3, 4}, {2, 1, 1}},
    {{2, 3, 4}, {2, 1, 4}},
    {{2, 3, 4}, {1, 3, 1}},
    {{2, 3, 4}, {2, 3, 4}},
    {{3, 5, 4, 4}, {1, 5, 1, 1}},
    {{2, 3, 4, 2, 3, 2}, {1, 3, 1, 2, 1, 2}},
    {{0}, {}},
    {{0, 3}, {3}},
    {{0, 3}, {1, 3}},
    {{2, 0}, {2, 1}},
    {{3, 0}, {0}},
    {{100003}, {}},
    {{300, 700}, {300, 1}},
    {{300, 700}, {700}},
    {{2053, 3}, {2053, 1}},  // more sums than a GPU is given blocks
};

const double not_a_number = std::numeric_limits<double>::quiet_NaN();
const double infinity = std::numeric_limits<double>::infinity();

}  // namespace

TEST_SUITE_BEGIN("conformance");

TEST_CASE("fill and copy") {
  for (const Shape& shape : shapes) {
    conform(concatenate("fill ", shape), exact, [&](auto& bench) {
      using T = typename std::decay_t<decltype(bench)>::Scalar;
      auto y = bench.result("y", shape);
      bench.primitives().fill(T(-2.5), y);
    });
    conform(concatenate("copy ", shape), exact, [&](auto& bench) {
      const auto x = bench.source("x", shape);
      auto y = bench.result("y", shape);
      bench.primitives().copy(x, y);
    });
  }
}

TEST_CASE("map") {
  for (const MapCase& c : maps) {
    for (const Shape& shape : shapes) {
      conform(concatenate("map ", text(c.f), " ", shape), c.tolerance, [&](auto& bench) {
        const auto x = bench.source("x", shape, c.low, c.high);
        auto y = bench.result("y", shape);
        bench.primitives().map(c.f, x, y);
      });
    }
    conform(concatenate("map in place ", text(c.f)), c.tolerance, [&](auto& bench) {
      auto x = bench.in_place("x", Shape{3, 7}, c.low, c.high);
      bench.primitives().map(c.f, x, x);
    });
  }
}

TEST_CASE("map at kinks, infinities and NaN") {
  const std::vector<double> values{0.0, -0.0, infinity, -infinity, not_a_number, 1.0, -1.0};
  for (const MapCase& c : maps) {
    conform(concatenate("map of special values ", text(c.f)), {12, true}, [&](auto& bench) {
      const auto x = bench.source("x", Shape{7}, values);
      auto y = bench.result("y", Shape{7});
      bench.primitives().map(c.f, x, y);
    });
  }
}

TEST_CASE("combine with every pattern of broadcasting") {
  const std::pair<Combination, const char*> kinds[] = {
      {Combination::add, "add"},
      {Combination::subtract, "subtract"},
      {Combination::multiply, "multiply"},
      {Combination::divide, "divide"},
      {Combination::divide_or_zero, "divide_or_zero"},
      {Combination::maximum, "maximum"}};
  for (const auto& [kind, name] : kinds) {
    for (const CombineCase& c : broadcasts) {
      conform(concatenate("combine ", name, " ", c.a, " ", c.b, " -> ", c.result), {1, true},
              [&, kind = kind](auto& bench) {
                const auto a = bench.source("a", c.a);
                const auto b = bench.source("b", c.b, 0.5, 1.5);
                auto y = bench.result("y", c.result);
                bench.primitives().combine(kind, a, b, y);
              });
    }
    for (const Shape& other : {Shape{3, 4, 5}, Shape{4, 1}, Shape{}}) {
      conform(concatenate("combine in place, left ", name, " ", other), {1, true},
              [&, kind = kind](auto& bench) {
                auto a = bench.in_place("a", Shape{3, 4, 5});
                const auto b = bench.source("b", other, 0.5, 1.5);
                bench.primitives().combine(kind, a, b, a);
              });
      conform(concatenate("combine in place, right ", name, " ", other), {1, true},
              [&, kind = kind](auto& bench) {
                const auto a = bench.source("a", other);
                auto b = bench.in_place("b", Shape{3, 4, 5}, 0.5, 1.5);
                bench.primitives().combine(kind, a, b, b);
              });
    }
    conform(concatenate("combine in place, both ", name), {1, true}, [&, kind = kind](auto& bench) {
      auto a = bench.in_place("a", Shape{3, 4, 5}, 0.5, 1.5);
      bench.primitives().combine(kind, a, a, a);
    });
    conform(
        concatenate("combine with zeros and infinities ", name), exact,
        [&, kind = kind](auto& bench) {
          const auto a = bench.source("a", Shape{6}, {1.0, 0.0, -1.0, 4.0, infinity, not_a_number});
          const auto b = bench.source("b", Shape{6}, {0.0, 0.0, 0.0, infinity, 2.0, 0.0});
          auto y = bench.result("y", Shape{6});
          bench.primitives().combine(kind, a, b, y);
        });
  }
}

TEST_CASE("reduce_sum over every set of axes") {
  for (const ReduceCase& c : reductions) {
    for (const Write write : {Write::overwrite, Write::accumulate}) {
      conform(concatenate("reduce_sum ", c.from, " -> ", c.to,
                          write == Write::accumulate ? " accumulate" : ""),
              {c.from.numel() > 10000 ? 64.0 : 8.0}, [&](auto& bench) {
                const auto x = bench.source("x", c.from);
                auto y = bench.result("y", c.to, write);
                bench.primitives().reduce_sum(x, write, y);
              });
    }
  }
}

TEST_SUITE_END();
