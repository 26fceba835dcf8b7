// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "atomtrack/image/image_view.hpp"

namespace atomtrack::test {

/// A small moving picture: a textured box that wanders over a smooth background. Frames live as
/// long as the scene.
class Scene {
 public:
  Scene(int width, int height) : width_(width), height_(height) {}

  Box box(int frame) const {
    return {0.3 * width_ + frame, 0.35 * height_ + 0.5 * frame, 0.25 * width_, 0.3 * height_};
  }

  /// The frame's pixels in some format; 16-bit values hold the 8-bit ones in their upper byte.
  std::vector<std::uint8_t> pixels(int frame, PixelFormat format) const {
    const bool wide = format >= PixelFormat::rgb16;
    const bool gray = format == PixelFormat::gray8 || format == PixelFormat::gray16;
    const bool swapped = format == PixelFormat::bgr8 || format == PixelFormat::bgra8 ||
                         format == PixelFormat::bgr16 || format == PixelFormat::bgra16;
    const bool alpha = format == PixelFormat::rgba8 || format == PixelFormat::bgra8 ||
                       format == PixelFormat::rgba16 || format == PixelFormat::bgra16;
    const Box target = box(frame);
    std::vector<std::uint8_t> bytes;
    const auto put = [&](std::uint8_t value) {
      if (wide) bytes.push_back(static_cast<std::uint8_t>(37));  // the low byte, which is dropped
      bytes.push_back(value);
    };
    for (int y = 0; y < height_; ++y) {
      for (int x = 0; x < width_; ++x) {
        const bool inside = x >= target.x && x < target.x + target.width && y >= target.y &&
                            y < target.y + target.height;
        const int u = static_cast<int>(x - target.x), v = static_cast<int>(y - target.y);
        const std::uint8_t rgb[3] = {
            static_cast<std::uint8_t>(inside ? 60 + 150 * ((u / 4 + v / 3) % 2) : 40 + x % 100),
            static_cast<std::uint8_t>(inside ? 200 - 5 * (u % 30) : 90 + y % 60),
            static_cast<std::uint8_t>(inside ? 30 + 9 * (v % 20) : 120)};
        if (gray) {
          put(rgb[0]);
          continue;
        }
        for (int c = 0; c < 3; ++c) put(rgb[swapped ? 2 - c : c]);
        if (alpha) put(255);
      }
    }
    return bytes;
  }

  /// RGB, 8 bits.
  ImageView frame(int number) const {
    auto& stored = frames_[number];
    if (stored.empty()) stored = pixels(number, PixelFormat::rgb8);
    return {stored.data(), width_, height_, 0, PixelFormat::rgb8};
  }

 private:
  int width_, height_;
  mutable std::map<int, std::vector<std::uint8_t>> frames_;
};

}  // namespace atomtrack::test
