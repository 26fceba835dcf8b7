// SPDX-License-Identifier: MIT
#include "atomtrack/image/frame.hpp"

#include <algorithm>

#include "atomtrack/primitives/primitives.hpp"

namespace atomtrack {
namespace {

constexpr int largest_side = 65536;

/// The view's pixels; only what its format says where `data` is null.
PixelRows rows_of(const ImageView& image) {
  PixelRows rows;
  rows.data = static_cast<const std::byte*>(image.data);
  rows.height = image.height;
  rows.width = image.width;
  const auto channels = [&](int count, int red, int green, int blue) {
    rows.channels = count;
    rows.red = red;
    rows.green = green;
    rows.blue = blue;
  };
  switch (image.format) {
    case PixelFormat::rgb8:
    case PixelFormat::rgb16:
      channels(3, 0, 1, 2);
      break;
    case PixelFormat::bgr8:
    case PixelFormat::bgr16:
      channels(3, 2, 1, 0);
      break;
    case PixelFormat::rgba8:
    case PixelFormat::rgba16:
      channels(4, 0, 1, 2);
      break;
    case PixelFormat::bgra8:
    case PixelFormat::bgra16:
      channels(4, 2, 1, 0);
      break;
    case PixelFormat::gray8:
    case PixelFormat::gray16:
      channels(1, 0, 0, 0);
      break;
    default:
      throw InputError(
          concatenate("image of unknown pixel format ", static_cast<int>(image.format)));
  }
  rows.bytes = image.format >= PixelFormat::rgb16 ? 2 : 1;
  const std::int64_t packed = rows.width * rows.channels * rows.bytes;
  rows.stride = image.stride == 0 ? packed : image.stride;
  return rows;
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
  const PixelRows rows = rows_of(image);
  return rows.width * rows.channels * rows.bytes;
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
  const Range rows =
      clamped_range(window.top, window.height, image.height, window.step, window.offset_y);
  const Range columns =
      clamped_range(window.left, window.width, image.width, window.step, window.offset_x);
  const Shape shape{rows.count, columns.count, 3};
  // The window's size changes with the target's: memory grows with room to spare and then stays.
  const Device device = image.device.is_host() ? Device::cpu() : image.device;
  if (!region.memory.defined() || region.memory.numel() < shape.numel() ||
      !(region.memory.device() == device)) {
    region.memory = Tensor<std::uint8_t>(Shape{shape.numel() + shape.numel() / 2}, device);
  }
  region.pixels = region.memory.slice(0, shape.numel()).reshape(shape);
  primitives_for<float>(device).unpack_pixels(
      rows_of(image), window.offset_y + window.step * rows.first,
      window.offset_x + window.step * columns.first, window.step, region.pixels);
  region.window = CropWindow{
      window.top - rows.first, window.left - columns.first, window.height, window.width, 1, 0, 0};
}

}  // namespace atomtrack
