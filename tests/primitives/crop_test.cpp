// SPDX-License-Identifier: MIT
// crop_resize, its adjoint, and crop_resize_frame on every backend.
#include <doctest/doctest.h>

#include "support/conformance.hpp"

using namespace atomtrack;
using test::conform;
using test::Tolerance;

namespace {

struct CropCase {
  std::int64_t channels, image_height, image_width;
  CropWindow window;
  std::int64_t height, width;
};

// top, left, height, width, step, offset_y, offset_x
const CropCase crops[] = {
    {1, 1, 1, {0, 0, 1, 1, 1, 0, 0}, 1, 1},
    {3, 1, 1, {-5, 4, 7, 9, 1, 0, 0}, 4, 3},
    {3, 7, 9, {0, 0, 7, 9, 1, 0, 0}, 7, 9},       // the image itself
    {3, 7, 9, {1, 2, 4, 5, 1, 0, 0}, 4, 5},       // a window as it is
    {3, 7, 9, {1, 2, 4, 5, 1, 0, 0}, 9, 11},      // enlarged
    {3, 20, 24, {2, 3, 15, 18, 1, 0, 0}, 5, 6},   // reduced
    {2, 20, 24, {2, 3, 17, 13, 1, 0, 0}, 7, 11},  // reduced unevenly
    {3, 7, 9, {-3, -4, 6, 8, 1, 0, 0}, 5, 5},     // over the top left
    {3, 7, 9, {4, 6, 6, 8, 1, 0, 0}, 5, 5},       // over the bottom right
    {3, 7, 9, {-4, -5, 20, 25, 1, 0, 0}, 13, 8},  // larger than the image
    {3, 7, 9, {-30, 2, 6, 5, 1, 0, 0}, 4, 4},     // above it
    {3, 7, 9, {30, -40, 6, 5, 1, 0, 0}, 4, 4},    // below and left of it
    {3, 21, 25, {1, 2, 7, 8, 2, 0, 0}, 9, 9},     // decimated
    {3, 21, 25, {1, 2, 7, 8, 2, 1, 1}, 9, 9},
    {3, 21, 25, {-2, -3, 12, 13, 3, 2, 1}, 6, 7},
    {3, 21, 25, {4, 5, 12, 13, 3, 2, 0}, 6, 7},
    {1, 21, 25, {0, 0, 1, 1, 30, 20, 24}, 3, 3},  // one pixel left
    {3, 6, 5, {1, 1, 1, 1, 1, 0, 0}, 6, 6},       // a window of one pixel
    {3, 6, 5, {1, 1, 4, 3, 1, 0, 0}, 1, 1},
    {6, 7, 9, {1, 2, 4, 5, 1, 0, 0}, 6, 5},  // more channels than a frame has
    {3, 90, 120, {-11, 7, 80, 83, 1, 0, 0}, 96, 96},
    {3, 250, 330, {-11, 17, 200, 210, 1, 0, 0}, 288, 288},
};

std::string text(const CropCase& c) {
  return concatenate(c.channels, "x", c.image_height, "x", c.image_width, " window ", c.window.top,
                     ",", c.window.left, " ", c.window.height, "x", c.window.width, " step ",
                     c.window.step, " from ", c.window.offset_y, ",", c.window.offset_x, " to ",
                     c.height, "x", c.width);
}

/// Float positions within a window of `size` pixels are rounded to about size / 2 epsilons, and the
/// border's repeated pixels differ by up to the largest magnitude.
Tolerance positions_within(const CropWindow& window) {
  return {4.0 + 2.0 * static_cast<double>(std::max(window.height, window.width))};
}

/// A batch of two: the case's window, and one moved by a pixel.
std::vector<CropWindow> two_windows(const CropCase& c) {
  CropWindow moved = c.window;
  moved.top += 1;
  moved.left -= 1;
  return {c.window, moved};
}

}  // namespace

TEST_SUITE_BEGIN("conformance");

TEST_CASE("crop_resize") {
  for (const CropCase& c : crops) {
    conform("crop_resize " + text(c), positions_within(c.window), [&](auto& bench) {
      const auto windows = two_windows(c);
      const auto image = bench.source("image", Shape{2, c.channels, c.image_height, c.image_width});
      auto y = bench.result("y", Shape{2, c.channels, c.height, c.width});
      bench.primitives().crop_resize(image, windows, y);
    });
  }
  conform("crop_resize of no images", {1}, [&](auto& bench) {
    const auto image = bench.source("image", Shape{0, 3, 5, 5});
    auto y = bench.result("y", Shape{0, 3, 4, 4});
    bench.primitives().crop_resize(image, {}, y);
  });
  conform("crop_resize to no pixels", {1}, [&](auto& bench) {
    const CropWindow window[] = {{0, 0, 3, 3, 1, 0, 0}};
    const auto image = bench.source("image", Shape{1, 3, 5, 5});
    auto y = bench.result("y", Shape{1, 3, 0, 4});
    bench.primitives().crop_resize(image, window, y);
  });
}

TEST_CASE("crop_resize_adjoint") {
  for (const CropCase& c : crops) {
    for (const Write write : {Write::overwrite, Write::accumulate}) {
      conform("crop_resize_adjoint " + text(c) + (write == Write::accumulate ? " accumulate" : ""),
              positions_within(c.window), [&](auto& bench) {
                const auto windows = two_windows(c);
                const auto gy = bench.source("gy", Shape{2, c.channels, c.height, c.width});
                auto gx =
                    bench.result("gx", Shape{2, c.channels, c.image_height, c.image_width}, write);
                bench.primitives().crop_resize_adjoint(gy, windows, write, gx);
              });
    }
  }
}

TEST_CASE("crop_resize_frame scales 8-bit pixels per channel") {
  for (const CropCase& c : crops) {
    conform("crop_resize_frame " + text(c), positions_within(c.window), [&](auto& bench) {
      using T = typename std::decay_t<decltype(bench)>::Scalar;
      const auto frame =
          bench.byte_source("frame", Shape{c.image_height, c.image_width, c.channels});
      auto y = bench.result("y", Shape{1, c.channels, c.height, c.width});
      const std::vector<T> offset{T(123.5), T(116.25), T(103.75), T(1), T(2), T(-3)};
      const std::vector<T> scale{T(0.015625), T(0.0234375), T(-0.5), T(0.25), T(1), T(4)};
      const auto channels = static_cast<std::size_t>(c.channels);
      bench.primitives().crop_resize_frame(frame, c.window,
                                           std::span<const T>(offset).first(channels),
                                           std::span<const T>(scale).first(channels), y);
    });
  }
}

TEST_SUITE_END();
