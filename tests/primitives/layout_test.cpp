// SPDX-License-Identifier: MIT
// copy_block, permute, gather and scatter_add on every backend.
#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

#include "support/conformance.hpp"

using namespace atomtrack;
using test::conform;
using test::exact;

namespace {

struct BlockCase {
  Shape from, from_start, to, to_start, extent;
};

const BlockCase blocks[] = {
    {{}, {}, {}, {}, {}},
    {{5}, {1}, {7}, {3}, {3}},
    {{5}, {0}, {5}, {0}, {5}},
    {{5}, {5}, {7}, {7}, {0}},
    {{2, 3}, {0, 1}, {4, 3}, {2, 0}, {2, 2}},
    {{2, 3, 4, 5}, {0, 1, 1, 2}, {3, 2, 4, 4}, {1, 0, 1, 0}, {2, 2, 3, 3}},
    {{2, 3, 4, 5}, {0, 0, 0, 0}, {2, 7, 4, 5}, {0, 2, 0, 0}, {2, 3, 4, 5}},
    {{2, 3, 4, 5}, {1, 0, 0, 0}, {2, 3, 6, 9}, {0, 0, 1, 2}, {1, 3, 4, 5}},
    {{2, 2, 2, 2, 2, 2},
     {1, 0, 1, 0, 1, 0},
     {2, 2, 2, 2, 2, 2},
     {0, 1, 0, 1, 0, 0},
     {1, 1, 1, 1, 1, 2}},
    {{0, 3}, {0, 0}, {2, 3}, {1, 0}, {0, 3}},
    {{3, 100, 200}, {1, 3, 5}, {4, 101, 220}, {2, 1, 7}, {2, 97, 195}},
    {{90000, 2}, {10, 1}, {90000, 1}, {0, 0}, {80000, 1}},
};

struct PermuteCase {
  Shape from;
  std::vector<int> order;
};

const PermuteCase permutations[] = {
    {{}, {}},
    {{4}, {0}},
    {{3, 5}, {1, 0}},
    {{3, 5}, {0, 1}},
    {{2, 3, 5}, {2, 0, 1}},
    {{2, 3, 5}, {0, 2, 1}},
    {{2, 3, 4, 5}, {0, 2, 3, 1}},
    {{2, 3, 4, 5}, {0, 3, 1, 2}},
    {{2, 3, 4, 5}, {1, 0, 2, 3}},
    {{2, 1, 3, 1, 2, 3}, {5, 3, 4, 0, 2, 1}},
    {{1, 4, 1, 5}, {3, 2, 1, 0}},
    {{0, 3}, {1, 0}},
    {{3, 0, 2}, {2, 1, 0}},
    {{250, 300}, {1, 0}},
    {{5, 60, 11, 31}, {0, 2, 3, 1}},
};

std::string text(const std::vector<int>& order) {
  std::string list;
  for (const int axis : order) list += (list.empty() ? "" : ",") + std::to_string(axis);
  return "(" + list + ")";
}

Shape permuted(const Shape& shape, const std::vector<int>& order) {
  Shape result;
  for (const int axis : order) result = result.append(shape[axis]);
  return result;
}

/// `count` indices below `below` that hit some positions often and others never.
std::vector<double> scattered(std::int64_t count, std::int64_t below) {
  std::vector<double> indices;
  for (std::int64_t i = 0; i < count; ++i)
    indices.push_back(static_cast<double>((i * i * 7 + 3 * i) % below));
  return indices;
}

struct IndexCase {
  Shape whole, picked;
};

const IndexCase index_cases[] = {
    {{1}, {1}}, {{}, {5}},  {{7}, {3, 4}},       {{2, 3, 4}, {5}},
    {{9}, {0}}, {{0}, {0}}, {{50, 60}, {90001}},
};

}  // namespace

TEST_SUITE_BEGIN("conformance");

TEST_CASE("copy_block copies the block and nothing else") {
  for (const BlockCase& c : blocks) {
    for (const Write write : {Write::overwrite, Write::accumulate}) {
      conform(
          concatenate("copy_block ", c.extent, " at ", c.from_start, " of ", c.from, " to ",
                      c.to_start, " of ", c.to, write == Write::accumulate ? " accumulate" : ""),
          {1, true}, [&](auto& bench) {
            const auto x = bench.source("x", c.from);
            auto y = bench.in_place("y", c.to);
            bench.primitives().copy_block(x, c.from_start, write, y, c.to_start, c.extent);
          });
    }
    conform(concatenate("copy_block over NaN ", c.extent, " at ", c.from_start, " of ", c.from,
                        " to ", c.to_start, " of ", c.to),
            exact, [&](auto& bench) {
              const auto x = bench.source("x", c.from);
              auto y = bench.result("y", c.to);
              bench.primitives().copy_block(x, c.from_start, Write::overwrite, y, c.to_start,
                                            c.extent);
            });
  }
}

TEST_CASE("permute") {
  for (const PermuteCase& c : permutations) {
    conform(concatenate("permute ", c.from, " by ", text(c.order)), exact, [&](auto& bench) {
      const auto x = bench.source("x", c.from);
      auto y = bench.result("y", permuted(c.from, c.order));
      bench.primitives().permute(x, c.order, y);
    });
  }
}

TEST_CASE("gather and scatter_add") {
  for (const IndexCase& c : index_cases) {
    const std::vector<double> indices =
        scattered(c.picked.numel(), std::max<std::int64_t>(1, c.whole.numel()));
    conform(concatenate("gather ", c.whole, " -> ", c.picked), exact, [&](auto& bench) {
      const auto x = bench.source("x", c.whole);
      const auto at = bench.index_source("indices", c.picked, indices);
      auto y = bench.result("y", c.picked);
      bench.primitives().gather(x, at, y);
    });
    for (const Write write : {Write::overwrite, Write::accumulate}) {
      conform(concatenate("scatter_add ", c.picked, " -> ", c.whole,
                          write == Write::accumulate ? " accumulate" : ""),
              {c.picked.numel() > 1000 ? 16.0 : 4.0}, [&](auto& bench) {
                const auto x = bench.source("x", c.picked);
                const auto at = bench.index_source("indices", c.picked, indices);
                auto y = bench.result("y", c.whole, write);
                bench.primitives().scatter_add(x, at, write, y);
              });
    }
  }
}

TEST_SUITE_END();
