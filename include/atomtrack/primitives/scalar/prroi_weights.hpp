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

/// The mean of `hat` over [low, high]; of an interval too narrow for the scalar type, the value
/// there.
template <class T>
ATOMTRACK_HOST_DEVICE T hat_mean(T low, T high) {
  if (!(low < high)) return hat(low);
  return hat_piece_mean(low, high, T(-1)) + hat_piece_mean(low, high, T(0));
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

/// For low < high: (hat(high) - mean of hat over [low, high]) / (high - low), the derivative of the
/// mean in `high`, summed piece by piece: the plain difference would lose all digits for a bin of a
/// thousandth of a cell.
template <class T>
ATOMTRACK_HOST_DEVICE T hat_mean_rise(T low, T high) {
  const T outside = low < T(-1) && high > T(-1) ? (T(-1) - low) / (high - low) : T(0);
  return hat_piece_rise(low, high, T(-1)) + hat_piece_rise(low, high, T(0)) +
         outside * hat(high) / (high - low);
}

/// The derivatives of `hat_mean` in its two ends: da/dlow = (a - hat(low))/b and da/dhigh =
/// (hat(high) - a)/b with b = high - low. An interval too narrow for the scalar type is a point on
/// a line.
template <class T>
struct HatMeanGradient {
  T low;
  T high;
};
template <class T>
ATOMTRACK_HOST_DEVICE HatMeanGradient<T> hat_mean_gradient(T low, T high) {
  if (!(low < high)) return {hat_slope(low) / T(2), hat_slope(low) / T(2)};
  return {-hat_mean_rise(-high, -low), hat_mean_rise(low, high)};
}

/// Whether a roi with these corners covers anything: its sides are positive and finite. Others pool
/// to zeros.
template <class T>
ATOMTRACK_HOST_DEVICE bool prroi_has_area(T x0, T y0, T x1, T y1) {
  const T width = x1 - x0;
  const T height = y1 - y0;
  return width > T(0) && height > T(0) && width - width == T(0) && height - height == T(0);
}

/// One bin along one axis, and what a change of the roi's two ends does to its edges:
/// d low / d(start, end) = (1 - p/n, p/n) and d high / d(start, end) = (1 - (p+1)/n, (p+1)/n).
template <class T>
struct PrRoiBin {
  T start;       ///< of the roi
  T width;       ///< (end - start)/n
  T index;       ///< p
  T low_share;   ///< p/n
  T high_share;  ///< (p+1)/n

  /// The bin's edges as seen from a cell: near the cell, where its hat has kinks, the difference
  /// keeps the digits that an edge in map coordinates would have rounded off.
  ATOMTRACK_HOST_DEVICE T low(T cell) const { return (start - cell) + width * index; }
  ATOMTRACK_HOST_DEVICE T high(T cell) const { return (start - cell) + width * (index + T(1)); }
};

/// Bin `index` of `count` of a roi from `start` to `end` (map cells, start < end).
template <class T>
ATOMTRACK_HOST_DEVICE PrRoiBin<T> prroi_bin(T start, T end, std::int64_t index,
                                            std::int64_t count) {
  const T n = static_cast<T>(count);
  const T p = static_cast<T>(index);
  return {start, (end - start) / n, p, p / n, (p + T(1)) / n};
}

/// The first and one past the last cell of a map of `extent` cells whose hat reaches into the bin:
/// those with low < 1 and high > -1.
template <class T>
ATOMTRACK_HOST_DEVICE std::int64_t prroi_first_cell(const PrRoiBin<T>& bin, std::int64_t extent) {
  const T low = bin.low(T(0));
  if (low <= T(0)) return 0;
  if (low >= static_cast<T>(extent + 1)) return extent;
  std::int64_t cell = static_cast<std::int64_t>(low);
  if (bin.low(static_cast<T>(cell - 1)) < T(1)) --cell;  // the edge was rounded up to a whole cell
  return cell < 0 ? 0 : (cell > extent ? extent : cell);
}
template <class T>
ATOMTRACK_HOST_DEVICE std::int64_t prroi_end_cell(const PrRoiBin<T>& bin, std::int64_t extent) {
  const T high = bin.high(T(0));
  if (high <= T(-1)) return 0;
  if (high >= static_cast<T>(extent)) return extent;
  std::int64_t end = static_cast<std::int64_t>(high + T(1)) + 1;
  if (bin.high(static_cast<T>(end)) > T(-1)) ++end;  // the edge was rounded down to a whole cell
  return end < extent ? end : extent;
}

/// a[p, cell].
template <class T>
ATOMTRACK_HOST_DEVICE T prroi_weight(const PrRoiBin<T>& bin, std::int64_t cell) {
  return hat_mean(bin.low(static_cast<T>(cell)), bin.high(static_cast<T>(cell)));
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

/// The gradient of a[p, cell] with respect to the roi's ends.
template <class T>
ATOMTRACK_HOST_DEVICE PrRoiGradient<T> prroi_weight_gradient(const PrRoiBin<T>& bin,
                                                             std::int64_t cell) {
  const T at = static_cast<T>(cell);
  const HatMeanGradient<T> edges = hat_mean_gradient(bin.low(at), bin.high(at));
  return prroi_from_edges(bin, edges.low, edges.high);
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
  const T low = bin.low(static_cast<T>(cell));
  const T high = bin.high(static_cast<T>(cell));
  const T b = high - low;
  if (!(b > T(0))) return {T(0), T(0)};  // a point on a line
  const HatMeanGradient<T> edges = hat_mean_gradient(low, high);
  const T low_low = (T(2) * edges.low - hat_slope(low)) / b;
  const T high_high = (hat_slope(high) - T(2) * edges.high) / b;
  const T low_high = (edges.high - edges.low) / b;
  const T d_low = tangent.start * (T(1) - bin.low_share) + tangent.end * bin.low_share;
  const T d_high = tangent.start * (T(1) - bin.high_share) + tangent.end * bin.high_share;
  return prroi_from_edges(bin, low_low * d_low + low_high * d_high,
                          low_high * d_low + high_high * d_high);
}

}  // namespace atomtrack::scalar
