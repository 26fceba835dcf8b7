// SPDX-License-Identifier: MIT
#include "atomtrack/image/frame.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace atomtrack {
namespace {

constexpr int largest_side = 65536;

/// Where red, green and blue are within a pixel, and how large its parts are.
struct Layout {
  std::array<int, 3> position;
  int channels;
  int bytes;  // per channel
};

Layout layout_of(PixelFormat format) {
  switch (format) {
    case PixelFormat::rgb8:
      return {{0, 1, 2}, 3, 1};
    case PixelFormat::bgr8:
      return {{2, 1, 0}, 3, 1};
    case PixelFormat::rgba8:
      return {{0, 1, 2}, 4, 1};
    case PixelFormat::bgra8:
      return {{2, 1, 0}, 4, 1};
    case PixelFormat::gray8:
      return {{0, 0, 0}, 1, 1};
    case PixelFormat::rgb16:
      return {{0, 1, 2}, 3, 2};
    case PixelFormat::bgr16:
      return {{2, 1, 0}, 3, 2};
    case PixelFormat::rgba16:
      return {{0, 1, 2}, 4, 2};
    case PixelFormat::bgra16:
      return {{2, 1, 0}, 4, 2};
    case PixelFormat::gray16:
      return {{0, 0, 0}, 1, 2};
  }
  throw InputError(concatenate("image of unknown pixel format ", static_cast<int>(format)));
}

void convert_row(const unsigned char* from, const Layout& layout, std::int64_t count,
                 std::int64_t step, std::uint8_t* to) {
  const std::ptrdiff_t pixel = std::ptrdiff_t{layout.channels} * layout.bytes;
  for (std::int64_t j = 0; j < count; ++j, from += pixel * step, to += 3) {
    for (std::size_t c = 0; c < 3; ++c) {
      const unsigned char* value = from + std::ptrdiff_t{layout.position[c]} * layout.bytes;
      if (layout.bytes == 1) {
        to[c] = *value;
      } else {
        std::uint16_t wide = 0;
        std::memcpy(&wide, value, sizeof(wide));  // rows need not be aligned
        to[c] = static_cast<std::uint8_t>(wide >> 8);
      }
    }
  }
}

/// The seen pixels (every `step`-th from `offset`) of one axis that a window reads: first and
/// count.
struct Range {
  std::int64_t first, count;
};

Range clamped_range(std::int64_t start, std::int64_t size, std::int64_t extent, std::int64_t step,
                    std::int64_t offset) {
  const std::int64_t seen = (extent - offset + step - 1) / step;
  const std::int64_t first = std::clamp<std::int64_t>(start, 0, seen - 1);
  const std::int64_t last = std::clamp<std::int64_t>(start + size - 1, 0, seen - 1);
  return {first, last - first + 1};
}

}  // namespace

std::ptrdiff_t row_bytes(const ImageView& image) {
  const Layout layout = layout_of(image.format);
  return std::ptrdiff_t{image.width} * layout.channels * layout.bytes;
}

void check(const ImageView& image) {
  require<InputError>(image.data != nullptr, "image without pixels (a null pointer)");
  require<InputError>(image.width >= 1 && image.height >= 1 && image.width <= largest_side &&
                          image.height <= largest_side,
                      "image of ", image.width, "x", image.height, " pixels: expected 1 to ",
                      largest_side, " on each side");
  const std::ptrdiff_t needed = row_bytes(image);
  require<InputError>(image.stride == 0 || image.stride >= needed, "image rows ", image.stride,
                      " bytes apart: expected at least ", needed, " for ", image.width, " pixels");
}

void extract_region(const ImageView& image, const CropWindow& window, FrameRegion& region) {
  check(image);
  require<InputError>(window.height >= 1 && window.width >= 1 && window.step >= 1 &&
                          window.offset_y >= 0 && window.offset_x >= 0 &&
                          window.offset_y < image.height && window.offset_x < image.width,
                      "a crop window of ", window.width, "x", window.height, " with step ",
                      window.step, " and offset ", window.offset_x, ",", window.offset_y,
                      ": expected positive sizes and an offset inside the image of ", image.width,
                      "x", image.height, " pixels");
  const Layout layout = layout_of(image.format);
  const std::ptrdiff_t stride = image.stride == 0 ? row_bytes(image) : image.stride;
  const Range rows =
      clamped_range(window.top, window.height, image.height, window.step, window.offset_y);
  const Range columns =
      clamped_range(window.left, window.width, image.width, window.step, window.offset_x);
  const Shape shape{rows.count, columns.count, 3};
  // The window's size changes with the target's: memory grows with room to spare and then stays.
  if (!region.memory.defined() || region.memory.numel() < shape.numel()) {
    region.memory = Tensor<std::uint8_t>(Shape{shape.numel() + shape.numel() / 2});
  }
  region.pixels = region.memory.slice(0, shape.numel()).reshape(shape);
  const auto* base = static_cast<const unsigned char*>(image.data);
  for (std::int64_t i = 0; i < rows.count; ++i) {
    const std::int64_t y = window.offset_y + window.step * (rows.first + i);
    const std::int64_t x = window.offset_x + window.step * columns.first;
    convert_row(base + y * stride + x * layout.channels * layout.bytes, layout, columns.count,
                window.step, region.pixels.data() + i * columns.count * 3);
  }
  region.window = CropWindow{
      window.top - rows.first, window.left - columns.first, window.height, window.width, 1, 0, 0};
}

}  // namespace atomtrack
