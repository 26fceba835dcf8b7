// SPDX-License-Identifier: MIT
#include "weights/half.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace atomtrack {
namespace {

constexpr int fraction_bits = 10;
constexpr int lowest_exponent = -14;  // of a normal number
constexpr std::uint16_t infinite = 0x7C00;
constexpr std::uint16_t not_a_number = 0x7E00;

}  // namespace

std::uint16_t to_half(float value) {
  const auto sign = static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16 & 0x8000U);
  if (std::isnan(value)) return static_cast<std::uint16_t>(sign | not_a_number);
  const double magnitude = std::abs(static_cast<double>(value));
  if (magnitude >= 65520.0) return static_cast<std::uint16_t>(sign | infinite);
  int exponent = lowest_exponent;
  if (magnitude > 0.0) exponent = std::max(lowest_exponent, std::ilogb(magnitude));
  // In units of the last place; a carry into the next power of two carries into the exponent's bits
  // by itself.
  const auto units =
      static_cast<std::uint32_t>(std::nearbyint(std::ldexp(magnitude, fraction_bits - exponent)));
  const auto biased = static_cast<std::uint32_t>(exponent - lowest_exponent);
  return static_cast<std::uint16_t>(sign | ((biased << fraction_bits) + units));
}

float from_half(std::uint16_t half) {
  const int biased = half >> fraction_bits & 31;
  const int fraction = half & ((1 << fraction_bits) - 1);
  float magnitude = 0.0F;
  if (biased == 31) {
    magnitude = fraction == 0 ? HUGE_VALF : NAN;
  } else if (biased == 0) {
    magnitude = std::ldexp(static_cast<float>(fraction), lowest_exponent - fraction_bits);
  } else {
    magnitude = std::ldexp(static_cast<float>(fraction + (1 << fraction_bits)),
                           biased - 1 + lowest_exponent - fraction_bits);
  }
  return (half & 0x8000U) != 0 ? -magnitude : magnitude;
}

}  // namespace atomtrack
