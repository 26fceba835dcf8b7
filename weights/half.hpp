// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace atomtrack {

// IEEE 754 binary16 as bits. HDF5 1.10 converts to it wrongly: a number that rounds up to the next
// power of two comes out halved.

/// Rounded to the nearest, ties to even; too large a number becomes infinite.
std::uint16_t to_half(float value);
/// Exact.
float from_half(std::uint16_t half);

}  // namespace atomtrack
