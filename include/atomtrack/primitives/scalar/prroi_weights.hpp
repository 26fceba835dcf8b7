// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "atomtrack/primitives/host_device.hpp"

namespace atomtrack::scalar {

// The mathematics of PrRoIPool (section 3.1), one axis at a time.
//
// The bilinear interpolant of a map F is sum_ij F[i,j] hat(y - i) hat(x - j) with hat(t) = max(0, 1
// - |t|): cell (i, j) sits at coordinate (i, j), and the map fades to zero within one cell outside.
// Its mean over a bin is therefore separable,
//
//   P[p,q] = sum_ij a_y[p,i] F[i,j] a_x[q,j],    a[p,i] = 1/(e1 - e0) * integral of hat(t - i) over
//   [e0, e1],
//
// where bin p of a roi [s, e] split into n bins has the edges e0 = s + p (e-s)/n and e1 = s + (p+1)
// (e-s)/n. All derivatives in the box are derivatives of these one-dimensional weights.

/// The hat function, H' in the closed form of the integral.
template <class T>
ATOMTRACK_HOST_DEVICE T hat(T t) {
  const T distance = t < T(0) ? -t : t;
  return distance < T(1) ? T(1) - distance : T(0);
}

/// The derivative of `hat`; at a kink the one from above.
template <class T>
ATOMTRACK_HOST_DEVICE T hat_slope(T t) {
  if (t < T(-1) || t >= T(1)) return T(0);
  return t < T(0) ? T(1) : T(-1);
}

/// The part of the mean of `hat` over [low, high] that lies in the linear piece [from, from + 1]:
/// the integral of a linear function is its midpoint value times the width, which does not cancel
/// however small the bin.
template <class T>
ATOMTRACK_HOST_DEVICE T hat_piece_mean(T low, T high, T from) {
  const T left = low > from ? low : from;
  const T right = high < from + T(1) ? high : from + T(1);
  if (right <= left) return T(0);
  return hat((left + right) / T(2)) * ((right - left) / (high - low));
}

/// The mean of hat(t - cell) over [low, high], low < high.
template <class T>
ATOMTRACK_HOST_DEVICE T hat_mean(T low, T high, T cell) {
  return hat_piece_mean(low - cell, high - cell, T(-1)) +
         hat_piece_mean(low - cell, high - cell, T(0));
}

/// The part of hat(high) - mean, divided by the bin's width, that comes from the linear piece
/// [from, from + 1].
template <class T>
ATOMTRACK_HOST_DEVICE T hat_piece_rise(T low, T high, T from) {
  const T left = low > from ? low : from;
  const T right = high < from + T(1) ? high : from + T(1);
  if (right <= left) return T(0);
  const T share = (right - left) / (high - low);
  // Where the bin ends inside this piece the difference of the two values is slope times half the
  // width, exactly.
  if (right == high) return share * share * (from < T(0) ? T(1) : T(-1)) / T(2);
  return share * (hat(high) - hat((left + right) / T(2))) / (high - low);
}

/// (hat(high) - mean of hat over [low, high]) / (high - low), the derivative of the mean in `high`,
/// summed piece by piece: the plain difference would lose all digits for a bin of a thousandth of a
/// cell.
template <class T>
ATOMTRACK_HOST_DEVICE T hat_mean_rise(T low, T high) {
  const T outside = low < T(-1) && high > T(-1) ? (T(-1) - low) / (high - low) : T(0);
  return hat_piece_rise(low, high, T(-1)) + hat_piece_rise(low, high, T(0)) +
         outside * hat(high) / (high - low);
}

/// Whether a roi with these corners covers anything: its sides are positive and finite. Others pool
/// to zeros.
template <class T>
ATOMTRACK_HOST_DEVICE bool prroi_has_area(T x0, T y0, T x1, T y1) {
  const T width = x1 - x0;
  const T height = y1 - y0;
  return width > T(0) && height > T(0) && width - width == T(0) && height - height == T(0);
}

/// The edges of one bin along one axis, and what a change of the roi's two ends does to them:
/// d low / d(start, end) = (1 - p/n, p/n) and d high / d(start, end) = (1 - (p+1)/n, (p+1)/n).
template <class T>
struct PrRoiBin {
  T low;
  T high;
  T low_share;   ///< p/n
  T high_share;  ///< (p+1)/n
};

/// Bin `index` of `count` of a roi from `start` to `end` (map cells, start < end).
template <class T>
ATOMTRACK_HOST_DEVICE PrRoiBin<T> prroi_bin(T start, T end, std::int64_t index,
                                            std::int64_t count) {
  const T width = (end - start) / static_cast<T>(count);
  PrRoiBin<T> bin;
  bin.low_share = static_cast<T>(index) / static_cast<T>(count);
  bin.high_share = static_cast<T>(index + 1) / static_cast<T>(count);
  bin.low = start + width * static_cast<T>(index);
  bin.high = start + width * static_cast<T>(index + 1);
  return bin;
}

/// The first and one past the last cell of a map of `extent` cells whose hat reaches into the bin.
template <class T>
ATOMTRACK_HOST_DEVICE std::int64_t prroi_first_cell(const PrRoiBin<T>& bin, std::int64_t extent) {
  if (bin.low <= T(0)) return 0;
  if (bin.low >= static_cast<T>(extent)) return extent;
  return static_cast<std::int64_t>(bin.low);
}
template <class T>
ATOMTRACK_HOST_DEVICE std::int64_t prroi_end_cell(const PrRoiBin<T>& bin, std::int64_t extent) {
  if (bin.high <= T(-1)) return 0;
  if (bin.high >= static_cast<T>(extent - 1)) return extent;
  return static_cast<std::int64_t>(bin.high + T(1)) + 1 < extent
             ? static_cast<std::int64_t>(bin.high + T(1)) + 1
             : extent;
}

/// a[p, cell].
template <class T>
ATOMTRACK_HOST_DEVICE T prroi_weight(const PrRoiBin<T>& bin, std::int64_t cell) {
  return hat_mean(bin.low, bin.high, static_cast<T>(cell));
}

/// The gradient of a weight, or of anything else of a bin, with respect to the roi's two ends.
template <class T>
struct PrRoiGradient {
  T start;
  T end;
};

/// Chain rule from the bin's edges to the roi's ends.
template <class T>
ATOMTRACK_HOST_DEVICE PrRoiGradient<T> prroi_from_edges(const PrRoiBin<T>& bin, T d_low, T d_high) {
  return {d_low * (T(1) - bin.low_share) + d_high * (T(1) - bin.high_share),
          d_low * bin.low_share + d_high * bin.high_share};
}

/// d a[p, cell] / d(low, high): a = (1/b) * integral, b = high - low, so da/dhigh = (hat(high) -
/// a)/b and da/dlow = (a - hat(low))/b.
template <class T>
ATOMTRACK_HOST_DEVICE PrRoiGradient<T> prroi_weight_gradient(const PrRoiBin<T>& bin,
                                                             std::int64_t cell) {
  const T low = bin.low - static_cast<T>(cell);
  const T high = bin.high - static_cast<T>(cell);
  return prroi_from_edges(bin, -hat_mean_rise(-high, -low), hat_mean_rise(low, high));
}

/// The derivative of a[p, cell] when the roi's ends move by `tangent`.
template <class T>
ATOMTRACK_HOST_DEVICE T prroi_weight_tangent(const PrRoiBin<T>& bin, std::int64_t cell,
                                             PrRoiGradient<T> tangent) {
  const PrRoiGradient<T> gradient = prroi_weight_gradient(bin, cell);
  return gradient.start * tangent.start + gradient.end * tangent.end;
}

/// The gradient of `prroi_weight_tangent` with respect to the roi's ends, `tangent` fixed: the
/// Hessian of a[p, cell] applied to it. With m = a, l = hat(low), h = hat(high), b = high - low:
/// a_ll = (2 (m - l)/b - l')/b,  a_hh = (h' - 2 (h - m)/b)/b,  a_lh = ((h - m) - (m - l))/b^2.
template <class T>
ATOMTRACK_HOST_DEVICE PrRoiGradient<T> prroi_weight_tangent_gradient(const PrRoiBin<T>& bin,
                                                                     std::int64_t cell,
                                                                     PrRoiGradient<T> tangent) {
  const T low = bin.low - static_cast<T>(cell);
  const T high = bin.high - static_cast<T>(cell);
  const T b = high - low;
  const T below = -hat_mean_rise(-high, -low);
  const T above = hat_mean_rise(low, high);
  const T low_low = (T(2) * below - hat_slope(low)) / b;
  const T high_high = (hat_slope(high) - T(2) * above) / b;
  const T low_high = (above - below) / b;
  const T d_low = tangent.start * (T(1) - bin.low_share) + tangent.end * bin.low_share;
  const T d_high = tangent.start * (T(1) - bin.high_share) + tangent.end * bin.high_share;
  return prroi_from_edges(bin, low_low * d_low + low_high * d_high,
                          low_high * d_low + high_high * d_high);
}

}  // namespace atomtrack::scalar
