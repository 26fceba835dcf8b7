// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

#include "atomtrack/tensor/device.hpp"

namespace atomtrack {
inline namespace v1 {

/// How the pixels of an ImageView are laid out: interleaved channels, one byte or one native-endian
/// 16-bit word each.
enum class PixelFormat { rgb8, bgr8, rgba8, bgra8, gray8, rgb16, bgr16, rgba16, bgra16, gray16 };

/// A non-owning view of an image, row by row from the top. The caller keeps the pixels alive and
/// unchanged during the call it is passed to; nothing is kept afterwards. An image may lie in a
/// GPU's memory, from where a tracker on that GPU reads it in place: its pixels have to be there
/// before the call (whoever wrote them on another stream waits for that first).
struct ImageView {
  const void* data = nullptr;
  int width = 0;              ///< pixels
  int height = 0;             ///< pixels
  std::ptrdiff_t stride = 0;  ///< bytes from one row to the next; 0 means rows without gaps
  PixelFormat format = PixelFormat::rgb8;
  Device device = Device::cpu();  ///< whose memory `data` points into
};

/// An axis-aligned box in pixels: the top-left corner (0-based, fractional) and the size.
struct Box {
  double x = 0.0;
  double y = 0.0;
  double width = 0.0;
  double height = 0.0;

  friend bool operator==(const Box&, const Box&) = default;
};

}  // namespace v1
}  // namespace atomtrack
