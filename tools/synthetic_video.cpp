// SPDX-License-Identifier: MIT
#include "tools/synthetic_video.hpp"

#include "atomtrack/tensor/random.hpp"

namespace atomtrack::tools {

SyntheticVideo::SyntheticVideo() : texture_(64 * 64 * 3), pixels_(width * height * 3) {
  RandomSource random(1);
  for (std::uint8_t& value : texture_) value = static_cast<std::uint8_t>(random.bits());
}

ImageView SyntheticVideo::frame(int number) {
  const Box target = box(number);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const bool inside = x >= target.x && x < target.x + target.width && y >= target.y &&
                          y < target.y + target.height;
      // Blocks of 8 pixels: fine texture on the target, coarse and dim behind it.
      const int u = inside ? static_cast<int>(x - target.x) / 8 : 40 + x / 24;
      const int v = inside ? static_cast<int>(y - target.y) / 8 : 40 + y / 24;
      for (int c = 0; c < 3; ++c) {
        const std::uint8_t value = texture_[static_cast<std::size_t>(
            ((v * 64 + u) * 3 + c) % static_cast<int>(texture_.size()))];
        pixels_[static_cast<std::size_t>((y * width + x) * 3 + c)] =
            inside ? value : static_cast<std::uint8_t>(value / 3);
      }
    }
  }
  return {pixels_.data(), width, height, 0, PixelFormat::rgb8};
}

}  // namespace atomtrack::tools
