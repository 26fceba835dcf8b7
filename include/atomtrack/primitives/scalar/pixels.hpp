// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

#include "atomtrack/primitives/geometry.hpp"
#include "atomtrack/primitives/host_device.hpp"

namespace atomtrack::scalar {

/// Bytes from a frame's start to its pixel (row, column).
ATOMTRACK_HOST_DEVICE std::int64_t pixel_offset(const PixelRows& frame, std::int64_t row,
                                                std::int64_t column) {
  return row * frame.stride + column * frame.channels * frame.bytes;
}

/// A channel of the pixel at `pixel`, of 16 bits the upper 8. Rows need not be aligned.
ATOMTRACK_HOST_DEVICE std::uint8_t eight_bits(const std::byte* pixel, int bytes, int channel) {
  const int upper = bytes - 1;  // the last byte of a little-endian word
  return static_cast<std::uint8_t>(pixel[channel * bytes + upper]);
}

/// The pixel at `pixel` as red, green and blue.
ATOMTRACK_HOST_DEVICE void unpack_pixel(const PixelRows& frame, const std::byte* pixel,
                                        std::uint8_t* rgb) {
  rgb[0] = eight_bits(pixel, frame.bytes, frame.red);
  rgb[1] = eight_bits(pixel, frame.bytes, frame.green);
  rgb[2] = eight_bits(pixel, frame.bytes, frame.blue);
}

}  // namespace atomtrack::scalar
