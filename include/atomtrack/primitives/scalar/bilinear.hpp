// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "atomtrack/primitives/host_device.hpp"

namespace atomtrack::scalar {

/// Two neighbouring source pixels and the share of the second.
template <class T>
struct BilinearTap {
  std::int64_t first;
  std::int64_t second;
  T share;
};

/// Where output pixel `index` of `outputs` reads along one axis of a crop window (see CropWindow
/// and Primitives::crop_resize). The window starts at `start` and is `size` pixels of an image that
/// has `extent` pixels, of which every `step`-th from `offset` on is seen; pixels outside repeat
/// the border. The results are positions in the undecimated image.
template <class T>
ATOMTRACK_HOST_DEVICE BilinearTap<T> bilinear_tap(std::int64_t index, std::int64_t outputs,
                                                  std::int64_t start, std::int64_t size,
                                                  std::int64_t extent, std::int64_t step,
                                                  std::int64_t offset) {
  // Half-pixel centres; clamped to the window, as resizing the cut-out window would be.
  T source =
      (static_cast<T>(index) + T(0.5)) * (static_cast<T>(size) / static_cast<T>(outputs)) - T(0.5);
  if (source < T(0)) source = T(0);
  std::int64_t first = static_cast<std::int64_t>(source);
  if (first > size - 1) first = size - 1;
  const std::int64_t second = first + 1 < size ? first + 1 : first;
  const std::int64_t seen = (extent - offset + step - 1) / step;
  const auto clamped = [&](std::int64_t position) {
    const std::int64_t inside = position < 0 ? 0 : (position > seen - 1 ? seen - 1 : position);
    return offset + step * inside;
  };
  return {clamped(start + first), clamped(start + second), source - static_cast<T>(first)};
}

}  // namespace atomtrack::scalar
