// SPDX-License-Identifier: MIT
#include "atomtrack/image/frame.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <vector>

#include "atomtrack/primitives/primitives.hpp"
#include "atomtrack/tensor/random.hpp"

using namespace atomtrack;

namespace {

/// The whole of an image.
CropWindow all_of(int width, int height) {
  CropWindow window;
  window.width = width;
  window.height = height;
  return window;
}

std::vector<std::uint8_t> converted(const ImageView& image) {
  FrameRegion region;
  extract_region(image, all_of(image.width, image.height), region);
  CHECK(region.pixels.shape() == Shape{image.height, image.width, 3});
  return region.pixels.to_vector();
}

std::vector<std::uint8_t> noise(std::size_t bytes) {
  RandomSource random(11);
  std::vector<std::uint8_t> result(bytes);
  for (std::uint8_t& value : result) value = static_cast<std::uint8_t>(random.bits());
  return result;
}

std::string complaint(const ImageView& image) {
  try {
    check(image);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("8-bit formats become RGB") {
  using Bytes = std::vector<std::uint8_t>;
  const std::uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8};
  CHECK(converted({bytes, 2, 1, 0, PixelFormat::rgb8}) == Bytes{1, 2, 3, 4, 5, 6});
  CHECK(converted({bytes, 2, 1, 0, PixelFormat::bgr8}) == Bytes{3, 2, 1, 6, 5, 4});
  CHECK(converted({bytes, 2, 1, 0, PixelFormat::rgba8}) == Bytes{1, 2, 3, 5, 6, 7});
  CHECK(converted({bytes, 2, 1, 0, PixelFormat::bgra8}) == Bytes{3, 2, 1, 7, 6, 5});
  CHECK(converted({bytes, 2, 1, 0, PixelFormat::gray8}) == Bytes{1, 1, 1, 2, 2, 2});
}

TEST_CASE("of 16 bits the upper 8 are kept, at any address") {
  using Bytes = std::vector<std::uint8_t>;
  const std::uint16_t words[] = {0x01FF, 0x0200, 0x03AA, 0x04BB, 0x05CC, 0x06DD, 0x07EE, 0x08FF};
  std::vector<std::uint8_t> shifted(sizeof(words) + 1);
  std::memcpy(shifted.data() + 1, words, sizeof(words));
  for (const void* data :
       {static_cast<const void*>(words), static_cast<const void*>(shifted.data() + 1)}) {
    CHECK(converted({data, 2, 1, 0, PixelFormat::rgb16}) == Bytes{1, 2, 3, 4, 5, 6});
    CHECK(converted({data, 2, 1, 0, PixelFormat::bgr16}) == Bytes{3, 2, 1, 6, 5, 4});
    CHECK(converted({data, 2, 1, 0, PixelFormat::rgba16}) == Bytes{1, 2, 3, 5, 6, 7});
    CHECK(converted({data, 2, 1, 0, PixelFormat::bgra16}) == Bytes{3, 2, 1, 7, 6, 5});
    CHECK(converted({data, 2, 1, 0, PixelFormat::gray16}) == Bytes{1, 1, 1, 2, 2, 2});
  }
}

TEST_CASE("gaps between rows are skipped") {
  const std::uint8_t bytes[] = {1, 2, 99, 99, 99, 3, 4, 99, 99, 99, 5, 6};
  CHECK(converted({bytes, 2, 3, 5, PixelFormat::gray8}) ==
        std::vector<std::uint8_t>{1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5, 6, 6, 6});
}

TEST_CASE("a region gives the crops that the whole frame gives, and is no larger than the window") {
  RandomSource random(5);
  const float offset[3] = {1, 2, 3};
  const float scale[3] = {0.5, 1, 2};
  FrameRegion region;
  for (int round = 0; round < 200; ++round) {
    const std::int64_t width = 1 + random.below(60), height = 1 + random.below(60);
    const auto bytes = noise(static_cast<std::size_t>(width * height * 3));
    const Tensor<std::uint8_t> frame(Shape{height, width, 3}, std::span<const std::uint8_t>(bytes));
    CropWindow window;
    window.step = 1 + random.below(std::min<std::int64_t>(4, std::min(width, height)));
    window.offset_x = random.below(std::min(window.step, width));
    window.offset_y = random.below(std::min(window.step, height));
    window.left = random.below(160) - 80;
    window.top = random.below(160) - 80;
    window.width = 1 + random.below(80);
    window.height = 1 + random.below(80);
    CAPTURE(round);
    extract_region(
        {bytes.data(), static_cast<int>(width), static_cast<int>(height), 0, PixelFormat::rgb8},
        window, region);
    CHECK(region.pixels.extent(0) <= std::min(window.height, height));
    CHECK(region.pixels.extent(1) <= std::min(window.width, width));
    Tensor<float> whole(Shape{1, 3, 7, 9}), part(Shape{1, 3, 7, 9});
    Primitives<float>& primitives = primitives_for<float>(Device::cpu());
    primitives.crop_resize_frame(frame, window, offset, scale, whole);
    primitives.crop_resize_frame(region.pixels, region.window, offset, scale, part);
    CHECK(whole.to_vector() == part.to_vector());
  }
}

TEST_CASE("memory is kept from call to call") {
  const auto bytes = noise(100 * 100 * 3);
  const ImageView image{bytes.data(), 100, 100, 0, PixelFormat::rgb8};
  FrameRegion region;
  extract_region(image, all_of(80, 80), region);
  const std::uint8_t* first = region.pixels.data();
  for (const int side : {80, 10, 90, 97}) {  // half as much again is kept in reserve
    extract_region(image, all_of(side, side), region);
    CHECK(region.pixels.data() == first);
    CHECK(region.pixels.shape() == Shape{side, side, 3});
  }
}

TEST_CASE("images that cannot be read are refused, and the message says what came") {
  const std::uint8_t bytes[64] = {};
  CHECK(complaint({bytes, 4, 4, 0, PixelFormat::rgb8}).empty());
  CHECK(complaint({bytes, 4, 4, 12, PixelFormat::rgb8}).empty());
  CHECK(complaint({nullptr, 4, 4, 0, PixelFormat::rgb8}).find("null") != std::string::npos);
  CHECK(complaint({bytes, 0, 4, 0, PixelFormat::rgb8}).find("0x4") != std::string::npos);
  CHECK(complaint({bytes, 4, -1, 0, PixelFormat::rgb8}).find("4x-1") != std::string::npos);
  CHECK(complaint({bytes, 65537, 1, 0, PixelFormat::rgb8}).find("65536") != std::string::npos);
  CHECK(complaint({bytes, 4, 4, 11, PixelFormat::rgb8}).find("11") != std::string::npos);
  CHECK(complaint({bytes, 4, 4, 23, PixelFormat::rgb16}).find("24") != std::string::npos);
  CHECK(complaint({bytes, 4, 4, -12, PixelFormat::rgb8}).find("-12") != std::string::npos);
  CHECK(complaint({bytes, 4, 4, 0, static_cast<PixelFormat>(77)}).find("77") != std::string::npos);
}

TEST_CASE("windows without pixels, or that start beyond the frame's, are refused") {
  const std::uint8_t bytes[16] = {};
  const ImageView image{bytes, 4, 4, 0, PixelFormat::gray8};
  const auto refused = [&](auto change) {
    CropWindow window = all_of(2, 2);
    change(window);
    FrameRegion region;
    CHECK_THROWS_AS(extract_region(image, window, region), InputError);
  };
  refused([](CropWindow& w) { w.width = 0; });
  refused([](CropWindow& w) { w.height = -1; });
  refused([](CropWindow& w) { w.step = 0; });
  refused([](CropWindow& w) { w.offset_x = 4; });
  refused([](CropWindow& w) { w.offset_y = -1; });
}
