// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstdint>

#include "atomtrack/primitives/host_device.hpp"

namespace atomtrack::scalar {

/// A position of a map in row-major order, and its value.
template <class T>
struct Peak {
  std::int64_t at;
  T value;
};

/// Whether `a` is to be preferred to `b`: the higher one, of equals the first. NaN is below all.
template <class T>
ATOMTRACK_HOST_DEVICE bool above(const Peak<T>& a, const Peak<T>& b) {
  const bool a_is_nan = a.value != a.value, b_is_nan = b.value != b.value;
  if (a_is_nan != b_is_nan) return b_is_nan;
  return a.value > b.value || (!(b.value > a.value) && a.at < b.at);
}

/// Rows (or columns) first <= i < end.
struct Bounds {
  std::int64_t first, end;
};

/// What belongs to a peak at `at` along one axis of `extent` cells: `size` cells around it, halves
/// rounded to even, as the released tracker cuts its neighbourhood out.
ATOMTRACK_HOST_DEVICE Bounds neighbourhood(std::int64_t at, double size, std::int64_t extent) {
  const double last = static_cast<double>(extent), centre = static_cast<double>(at);
  const double from = ::rint(centre - size / 2), to = ::rint(centre + size / 2 + 1);
  // What is not a number bounds nothing.
  return {static_cast<std::int64_t>(from > 0 ? (from < last ? from : last) : 0.0),
          static_cast<std::int64_t>(to > 0 ? (to < last ? to : last) : 0.0)};
}

}  // namespace atomtrack::scalar
