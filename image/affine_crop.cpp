// SPDX-License-Identifier: MIT
#include "atomtrack/image/affine_crop.hpp"

#include <algorithm>
#include <cmath>

namespace atomtrack {
namespace {

constexpr int fraction_bits = 8;
constexpr int one = 1 << fraction_bits;

/// A coordinate as two neighbours within 0 .. extent - 1 and the share of the second, of 2^8.
struct Position {
  std::int64_t first, second;
  int share;
};

Position position(double value, std::int64_t extent, bool reflect) {
  const auto last = static_cast<double>(extent - 1);
  if (reflect && last > 0.0) {
    const double period = std::fmod(std::abs(value), 2.0 * last);
    value = period > last ? 2.0 * last - period : period;
  }
  const double bounded = std::clamp(value, 0.0, last);
  const auto fixed = static_cast<std::int64_t>(bounded * one + 0.5);
  const std::int64_t first = fixed >> fraction_bits;
  return {first, std::min(first + 1, extent - 1), static_cast<int>(fixed & (one - 1))};
}

}  // namespace

Box AffineCrop::place(const Box& box) const {
  const double c = std::cos(angle), s = std::sin(angle);
  const double side = mirror ? -1.0 : 1.0;
  const double dx = box.x + box.width / 2 - centre_x, dy = box.y + box.height / 2 - centre_y;
  const double middle = (output - 1) / 2.0;
  const double x = middle + side * (c * dx + s * dy) / scale_x;
  const double y = middle + (c * dy - s * dx) / scale_y;
  const double width = std::hypot(c * box.width, s * box.height) / scale_x;
  const double height = std::hypot(s * box.width, c * box.height) / scale_y;
  return {x - width / 2, y - height / 2, width, height};
}

Box AffineCrop::lift(const Box& box) const {
  const double c = std::cos(angle), s = std::sin(angle);
  const double side = mirror ? -1.0 : 1.0;
  const double middle = (output - 1) / 2.0;
  const double u = side * (box.x + box.width / 2 - middle) * scale_x;
  const double v = (box.y + box.height / 2 - middle) * scale_y;
  const double width = box.width * scale_x, height = box.height * scale_y;
  return {centre_x + c * u - s * v - width / 2, centre_y + s * u + c * v - height / 2, width,
          height};
}

void cut(const Tensor<std::uint8_t>& image, const AffineCrop& crop, Tensor<std::uint8_t>& pixels) {
  require<ShapeError>(image.rank() == 3 && image.extent(2) == 3 && image.numel() > 0,
                      "affine crop of ", image.shape(), ": expected [H,W,3]");
  require<ShapeError>(pixels.shape() == Shape{crop.output, crop.output, 3}, "affine crop to ",
                      pixels.shape(), ": expected [", crop.output, ",", crop.output, ",3]");
  const double c = std::cos(crop.angle), s = std::sin(crop.angle);
  const double middle = (crop.output - 1) / 2.0;
  const double step = crop.mirror ? -crop.scale_x : crop.scale_x;
  const std::int64_t height = image.extent(0), width = image.extent(1);
  const std::uint8_t* from = image.data();
  std::uint8_t* to = pixels.data();
  for (int v = 0; v < crop.output; ++v) {
    const double along = (v - middle) * crop.scale_y;
    for (int u = 0; u < crop.output; ++u, to += 3) {
      const double across = (u - middle) * step;
      const Position x =
          position(crop.centre_x - 0.5 + c * across - s * along, width, crop.reflect);
      const Position y =
          position(crop.centre_y - 0.5 + s * across + c * along, height, crop.reflect);
      const std::uint8_t* upper = from + y.first * width * 3;
      const std::uint8_t* lower = from + y.second * width * 3;
      for (int k = 0; k < 3; ++k) {
        const int above =
            upper[x.first * 3 + k] * (one - x.share) + upper[x.second * 3 + k] * x.share;
        const int below =
            lower[x.first * 3 + k] * (one - x.share) + lower[x.second * 3 + k] * x.share;
        to[k] = static_cast<std::uint8_t>(
            (above * (one - y.share) + below * y.share + (one * one / 2)) >> (2 * fraction_bits));
      }
    }
  }
}

}  // namespace atomtrack
