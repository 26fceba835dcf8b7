// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <thread>

#include "atomtrack/primitives/primitives.hpp"
#include "atomtrack/tracker/tracker.hpp"
#include "support/scene.hpp"

using namespace atomtrack;

TEST_CASE("trackers in parallel threads on one model give the same boxes as alone") {
  const Model model = Model::generated(6);
  Options options;
  options.crop_size = 64;
  options.augment = false;
  options.first_frame_n_gn = 1;
  options.first_frame_n_cg = 2;
  options.update_n_cg = 2;
  options.update_interval = 2;
  options.memory_size = 40;
  options.target_not_found_threshold = -1e9;
  const test::Scene scene(100, 80);
  for (int i = 0; i < 4; ++i)
    scene.frame(i);  // made here: the scene is not for several threads to fill
  const auto run = [&](std::uint64_t seed) {
    Options own = options;
    own.seed = seed;
    Tracker tracker(model, own);
    std::vector<Box> boxes{tracker.init(scene.frame(0), scene.box(0)).box};
    for (int i = 1; i < 4; ++i) boxes.push_back(tracker.update(scene.frame(i)).box);
    return boxes;
  };
  constexpr std::size_t count = 3;
  std::vector<std::vector<Box>> alone, together(count);
  for (std::size_t i = 0; i < count; ++i) alone.push_back(run(i));
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < count; ++i) threads.emplace_back([&, i] { together[i] = run(i); });
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < count; ++i) CHECK(together[i] == alone[i]);
}
