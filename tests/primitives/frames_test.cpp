// SPDX-License-Identifier: MIT
// What is done with frames and score maps as they are: unpack_pixels and two_peaks on every
// backend.
#include <doctest/doctest.h>

#include <limits>

#include "atomtrack/image/frame.hpp"
#include "atomtrack/tensor/random.hpp"
#include "support/conformance.hpp"

using namespace atomtrack;
using test::conform;
using test::devices_under_test;
using test::exact;
using test::rejects;

namespace {

constexpr float none = std::numeric_limits<float>::quiet_NaN();

std::vector<float> peaks_of(Device device, const Shape& shape, const std::vector<float>& values,
                            double height, double width) {
  const Tensor<float> map(shape, std::span<const float>(values), device);
  const Tensor<double> sizes(Shape{1, 2}, {height, width}, device);
  Tensor<float> peaks(Shape{1, 6}, device);
  primitives_for<float>(device).two_peaks(map, sizes, peaks);
  return peaks.to_vector();
}

}  // namespace

TEST_SUITE_BEGIN("conformance");

TEST_CASE("two_peaks of random maps") {
  // One cell, lines, fewer cells than a GPU's block has threads and more, and no maps at all.
  for (const Shape& shape : {Shape{1, 1, 1}, Shape{3, 1, 40}, Shape{2, 40, 1}, Shape{4, 18, 18},
                             Shape{2, 65, 47}, Shape{0, 5, 5}}) {
    for (const double share : {0.0, 0.3, 0.77, 9.0}) {
      conform(concatenate("two_peaks ", shape, " around ", share), exact, [&](auto& bench) {
        const auto maps = bench.source("maps", shape);
        std::vector<double> around;
        for (std::int64_t n = 0; n < shape[0]; ++n) {
          around.push_back(share * static_cast<double>(shape[1] + n));
          around.push_back(share * static_cast<double>(shape[2]));
        }
        const auto sizes = bench.double_source("sizes", Shape{shape[0], 2}, around);
        auto peaks = bench.result("peaks", Shape{shape[0], 6});
        bench.primitives().two_peaks(maps, sizes, peaks);
      });
    }
  }
}

TEST_CASE("two_peaks by hand") {
  for (const Device device : devices_under_test()) {
    CAPTURE(device);
    using Peaks = std::vector<float>;
    const std::vector<float> map{1, 2, 1, 7, 1,  //
                                 2, 9, 8, 1, 5,  //
                                 1, 3, 1, 9, 1};
    const Shape shape{1, 3, 5};
    // Of two nines the first; around it 1 x 1, 2 x 2 (halves to even: 0 .. 2) and all of the map.
    CHECK(peaks_of(device, shape, map, 0, 0) == Peaks{1, 1, 9, 2, 3, 9});
    CHECK(peaks_of(device, shape, map, 2, 5) == Peaks{1, 1, 9, 1, 4, 5});
    CHECK(peaks_of(device, shape, map, 1e300, 1e300) == Peaks{1, 1, 9, 0, 0, 0});
    CHECK(peaks_of(device, shape, map, none, none) == Peaks{1, 1, 9, 1, 1, 9});
    // What belongs to the first peak counts as zero, which is more than what is below.
    CHECK(peaks_of(device, Shape{1, 1, 3}, {-1, -2, -3}, 0, 0) == Peaks{0, 0, -1, 0, 0, 0});
    // What is not a number is below all.
    CHECK(peaks_of(device, Shape{1, 1, 4}, {none, -5, none, -7}, 0, 0) == Peaks{0, 1, -5, 0, 1, 0});
    const Peaks nothing = peaks_of(device, Shape{1, 1, 3}, {none, none, none}, 0, 0);
    CHECK(nothing[1] == 0);
    CHECK(nothing[2] != nothing[2]);
  }
}

TEST_CASE("frames of every format, wherever they lie") {
  constexpr int width = 13, height = 11, stride = 113;
  RandomSource random(7);
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(stride) * height);
  for (std::uint8_t& value : bytes) value = static_cast<std::uint8_t>(random.bits());
  const CropWindow windows[] = {{0, 0, height, width}, {-4, 3, 9, 30}, {1, -2, 4, 5, 2, 1, 0}};
  for (const Device device : devices_under_test()) {
    const Tensor<std::uint8_t> there(Shape{static_cast<std::int64_t>(bytes.size())},
                                     std::span<const std::uint8_t>(bytes), device);
    FrameRegion expected, came;
    for (int format = 0; format <= static_cast<int>(PixelFormat::gray16); ++format) {
      for (const CropWindow& window : windows) {
        CAPTURE(device);
        CAPTURE(format);
        ImageView view{bytes.data(), width, height, stride, static_cast<PixelFormat>(format)};
        extract_region(view, window, expected);
        view.data = there.data();
        view.device = device;
        extract_region(view, window, came);
        CHECK(came.pixels.device().is_host() == device.is_host());
        CHECK(came.window == expected.window);
        CHECK(came.pixels.shape() == expected.pixels.shape());
        CHECK(came.pixels.to_vector() == expected.pixels.to_vector());
      }
    }
  }
}

TEST_CASE("frames and maps that do not fit are refused") {
  const auto pixels = [](const Shape& shape, std::int64_t top, std::int64_t left,
                         std::int64_t step) {
    for (const Device device : devices_under_test()) {
      Tensor<std::uint8_t> memory(Shape{6 * 4 * 3}, device), to(shape, device);
      const PixelRows frame{reinterpret_cast<const std::byte*>(memory.data()), 4, 6, 18};
      CHECK_THROWS_AS(primitives_for<float>(device).unpack_pixels(frame, top, left, step, to),
                      Error);
    }
  };
  pixels(Shape{4, 6}, 0, 0, 1);
  pixels(Shape{4, 6, 4}, 0, 0, 1);
  pixels(Shape{4, 6, 3}, 1, 0, 1);
  pixels(Shape{4, 6, 3}, 0, 1, 1);
  pixels(Shape{2, 2, 3}, -1, 0, 1);
  pixels(Shape{2, 2, 3}, 0, -1, 1);
  pixels(Shape{2, 4, 3}, 0, 0, 2);
  pixels(Shape{1, 1, 3}, 0, 0, 0);

  const auto peaks = [](const Shape& maps, const Shape& sizes, const Shape& to) {
    rejects<ShapeError>(concatenate("two_peaks ", maps, " ", sizes, " ", to), [&](auto& bench) {
      const auto x = bench.source("maps", maps);
      const Tensor<double> around = Tensor<double>::zeros(sizes, bench.device());
      auto y = bench.result("peaks", to);
      bench.primitives().two_peaks(x, around, y);
    });
  };
  peaks(Shape{2, 3, 4}, Shape{1, 2}, Shape{2, 6});
  peaks(Shape{2, 3, 4}, Shape{2, 2}, Shape{2, 3});
  peaks(Shape{2, 12}, Shape{2, 2}, Shape{2, 6});
  peaks(Shape{2, 0, 4}, Shape{2, 2}, Shape{2, 6});
}

TEST_SUITE_END();
