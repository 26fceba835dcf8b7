// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

#include "atomtrack/image/image_view.hpp"

namespace atomtrack::tools {

/// A textured square that wanders over a textured background: the same pictures everywhere, without
/// a file.
class SyntheticVideo {
 public:
  static constexpr int width = 640, height = 480;

  SyntheticVideo();
  /// Where the square is in a frame.
  Box box(int frame) const { return {240.0 + 2.0 * (frame % 40), 180.0 + (frame % 25), 80, 60}; }
  /// The picture; it lives until the next call.
  ImageView frame(int number);

 private:
  std::vector<std::uint8_t> texture_, pixels_;
};

}  // namespace atomtrack::tools
