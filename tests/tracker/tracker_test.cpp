// SPDX-License-Identifier: MIT
// The tracker as a user meets it: bad input, repeated runs, memory, anything a video can bring.
#include "atomtrack/tracker/tracker.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <ctime>
#include <limits>
#include <thread>
#include <vector>

#include "atomtrack/tensor/error.hpp"
#include "atomtrack/tensor/memory.hpp"
#include "atomtrack/tensor/random.hpp"
#include "support/scene.hpp"

using namespace atomtrack;
using test::Scene;

namespace {

/// Smaller than the defaults, so that a test takes seconds: a crop of 96 pixels, few iterations.
Options quick_options() {
  Options options;
  options.crop_size = 96;
  options.first_frame_n_gn = 2;
  options.first_frame_n_cg = 3;
  options.update_n_cg = 2;
  options.memory_size = 40;
  return options;
}

const Model& model() {
  static const Model instance = Model::generated(5);
  return instance;
}

}  // namespace

TEST_CASE("the same seed gives the same boxes, bit for bit, and init starts anew") {
  const Scene scene(160, 120);
  const auto run = [&](Tracker& tracker) {
    std::vector<Box> boxes{tracker.init(scene.frame(0), scene.box(0)).box};
    for (int i = 1; i < 5; ++i) boxes.push_back(tracker.update(scene.frame(i)).box);
    return boxes;
  };
  Tracker first(model(), quick_options()), second(model(), quick_options());
  const auto expected = run(first);
  CHECK(run(second) == expected);
  CHECK(run(first) == expected);
  Options other = quick_options();
  other.seed = 1;
  Tracker third(model(), other);
  CHECK(run(third) != expected);
}

TEST_CASE("boxes that cannot be tracked are refused, and the tracker stays as it was") {
  const Scene scene(80, 60);
  Tracker tracker(model(), quick_options());
  CHECK_THROWS_AS(tracker.update(scene.frame(0)), InputError);
  const double nan = std::numeric_limits<double>::quiet_NaN(),
               infinity = std::numeric_limits<double>::infinity();
  for (const Box& box :
       {Box{nan, 1, 5, 5}, Box{1, 1, infinity, 5}, Box{1, 1, 0, 5}, Box{1, 1, 5, -2},
        Box{-20, 1, 10, 10}, Box{80, 10, 5, 5}, Box{10, 60, 5, 5}, Box{0, 0, 1e9, 1e9}}) {
    CHECK_THROWS_AS(tracker.init(scene.frame(0), box), InputError);
    CHECK_THROWS_AS(tracker.update(scene.frame(0)), InputError);
  }
  CHECK_NOTHROW(tracker.init(scene.frame(0), {-5, -5, 20, 20}));  // partly outside
  CHECK_NOTHROW(tracker.update(scene.frame(1)));
  CHECK_THROWS_AS(tracker.init(scene.frame(0), {1, 1, 0, 0}), InputError);
  CHECK_NOTHROW(tracker.update(scene.frame(2)));  // still the first target
}

TEST_CASE("images that cannot be read are refused") {
  const Scene scene(80, 60);
  Tracker tracker(model(), quick_options());
  tracker.init(scene.frame(0), scene.box(0));
  ImageView image = scene.frame(0);
  image.data = nullptr;
  CHECK_THROWS_AS(tracker.update(image), InputError);
  image = scene.frame(0);
  image.width = 0;
  CHECK_THROWS_AS(tracker.update(image), InputError);
  image = scene.frame(0);
  image.height = -3;
  CHECK_THROWS_AS(tracker.update(image), InputError);
  image = scene.frame(0);
  image.stride = 10;
  CHECK_THROWS_AS(tracker.update(image), InputError);
}

TEST_CASE("options out of range are refused by name") {
  const auto refused = [](auto change) {
    Options options = quick_options();
    change(options);
    CHECK_THROWS_AS(Tracker(model(), options), InputError);
  };
  refused([](Options& o) { o.crop_size = 100; });
  refused([](Options& o) { o.memory_size = 10; });
  refused([](Options& o) { o.learning_rate = std::nan(""); });
  refused([](Options& o) { o.boxes_averaged = 11; });
  refused([](Options& o) { o.filter_regularization = 0.0; });
  refused(
      [](Options& o) { o.target_not_found_threshold = std::numeric_limits<double>::infinity(); });
  refused([](Options& o) {
    o.use_classifier = false;
    o.estimation = Estimation::multi_scale;
  });
  CHECK_THROWS_AS(Options::preset("fast"), InputError);
  CHECK_THROWS_AS(Options{}.variant("atom2"), InputError);
  for (const char* preset : {"released", "paper", "vot2018", "steady", "adaptive"}) {
    for (const char* variant :
         {"atom", "multi-scale", "no-classifier", "gd", "gd++", "no-hard-negatives"}) {
      CHECK_NOTHROW(Options::preset(preset).variant(variant).validate());
    }
  }
}

TEST_CASE("every variant and preset tracks a few frames to finite boxes") {
  const Scene scene(120, 90);
  for (const char* preset : {"released", "paper", "vot2018", "steady", "adaptive"}) {
    for (const char* variant :
         {"atom", "multi-scale", "no-classifier", "gd", "no-hard-negatives"}) {
      CAPTURE(preset);
      CAPTURE(variant);
      Options options = Options::preset(preset).variant(variant);
      const Options small = quick_options();
      options.crop_size = small.crop_size;
      options.first_frame_n_gn = small.first_frame_n_gn;
      options.first_frame_n_cg = small.first_frame_n_cg;
      options.memory_size = small.memory_size;
      Tracker tracker(model(), options);
      tracker.init(scene.frame(0), scene.box(0));
      for (int i = 1; i < 3; ++i) {
        const Result result = tracker.update(scene.frame(i));
        CHECK(std::isfinite(result.box.x + result.box.y + result.box.width + result.box.height +
                            result.score));
        CHECK(result.box.width > 0);
      }
    }
  }
}

TEST_CASE("a precision that the device does not have is refused") {
  const Scene scene(80, 60);
  Options options = quick_options();
  options.feature_precision = Precision::half;
  Tracker tracker(model(), options);
  CHECK_THROWS_AS(tracker.init(scene.frame(0), scene.box(0)), InputError);
  CHECK_THROWS_AS(tracker.update(scene.frame(0)), InputError);
}

TEST_CASE("pixel formats with the same content give the same boxes") {
  const Scene scene(100, 80);
  const auto boxes = [&](PixelFormat format) {
    Tracker tracker(model(), quick_options());
    const auto first = scene.pixels(0, format), second = scene.pixels(1, format);
    tracker.init({first.data(), 100, 80, 0, format}, scene.box(0));
    return tracker.update({second.data(), 100, 80, 0, format}).box;
  };
  const Box expected = boxes(PixelFormat::rgb8);
  for (const PixelFormat format :
       {PixelFormat::bgr8, PixelFormat::rgba8, PixelFormat::bgra8, PixelFormat::rgb16,
        PixelFormat::bgr16, PixelFormat::rgba16, PixelFormat::bgra16}) {
    CHECK(boxes(format) == expected);
  }
  CHECK(boxes(PixelFormat::gray8) == boxes(PixelFormat::gray16));
}

TEST_CASE("whatever comes, update neither throws nor leaves the finite") {
  RandomSource random(17);
  Options options = quick_options();
  options.target_not_found_threshold = -1e9;  // never lost: every frame moves the box
  Tracker tracker(model(), options);
  for (int round = 0; round < 6; ++round) {
    const int width = static_cast<int>(1 + random.below(200)),
              height = static_cast<int>(1 + random.below(200));
    const Scene start(width, height);
    tracker.init(start.frame(0),
                 {random.uniform(-0.4, 0.4) * width, random.uniform(-0.4, 0.4) * height,
                  random.uniform(0.5, 1.0) * width, random.uniform(0.5, 1.0) * height});
    for (int i = 0; i < 4; ++i) {
      const int w = static_cast<int>(1 + random.below(300)),
                h = static_cast<int>(1 + random.below(300));
      std::vector<std::uint8_t> pixels(static_cast<std::size_t>(w) * static_cast<std::size_t>(h) *
                                       3);  // black, or noise
      if (i % 2 == 1) {
        for (std::uint8_t& value : pixels) value = static_cast<std::uint8_t>(random.bits());
      }
      const Result result = tracker.update({pixels.data(), w, h, 0, PixelFormat::rgb8});
      CHECK(std::isfinite(result.box.x + result.box.y + result.box.width + result.box.height +
                          result.score));
      CHECK(result.box.width <= 16.0 * std::max(w, h));
    }
  }
}

TEST_CASE("a frame of one pixel and a very large frame are tracked at the cost of the crop") {
  Tracker tracker(model(), quick_options());
  const std::uint8_t pixel[3] = {10, 20, 30};
  tracker.init({pixel, 1, 1, 0, PixelFormat::rgb8}, {0, 0, 1, 1});
  CHECK_NOTHROW(tracker.update({pixel, 1, 1, 0, PixelFormat::rgb8}));
  const int side = 16000;
  const std::vector<std::uint8_t> large(static_cast<std::size_t>(side) * side, 90);
  tracker.init({large.data(), side, side, 0, PixelFormat::gray8}, {7000, 7000, 300, 300});
  CHECK_NOTHROW(tracker.update({large.data(), side, side, 0, PixelFormat::gray8}));
  tracker.init({large.data(), side, side, 0, PixelFormat::gray8}, {0, 0, 16000.0, 16000.0});
  CHECK_NOTHROW(tracker.update({large.data(), side, side, 0, PixelFormat::gray8}));
}

TEST_CASE("between frames the processor is left alone") {
  const Scene scene(100, 80);
  Tracker tracker(model(), quick_options());
  tracker.init(scene.frame(0), scene.box(0));
  tracker.update(scene.frame(1));
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  const std::clock_t before = std::clock();  // processor time of all threads
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  CHECK(static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC < 0.01 * 0.5);
}

TEST_CASE("after warm-up a frame takes nothing from the system") {
  const Scene scene(160, 120);
  Options options = quick_options();
  options.target_not_found_threshold = -1e9;
  options.update_interval = 3;
  Tracker tracker(model(), options);
  tracker.init(scene.frame(0), scene.box(0));
  for (int i = 1; i < 20; ++i) tracker.update(scene.frame(i));
  const PoolStatistics before = pool_statistics(Device::cpu());
  for (int i = 20; i < 60; ++i) tracker.update(scene.frame(i));
  const PoolStatistics after = pool_statistics(Device::cpu());
  CHECK(after.system_allocations == before.system_allocations);
  CHECK(after.reserved == before.reserved);
}
