// SPDX-License-Identifier: MIT
#pragma once

#include <cblas.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace cuda_on_host {

/// What the tensor cores round factors to.
enum class Factors { exact, tf32, half };

inline double rounded(double value, Factors to) {
  constexpr int fraction_bits = 10, smallest_exponent = -14;
  constexpr double largest_half = 65504.0;
  if (to == Factors::exact || value == 0.0 || !std::isfinite(value)) return value;
  int exponent = std::ilogb(value);
  if (to == Factors::half) exponent = std::max(exponent, smallest_exponent);  // subnormal
  const double near = std::ldexp(std::nearbyint(std::ldexp(value, fraction_bits - exponent)),
                                 exponent - fraction_bits);
  if (to == Factors::half && std::abs(near) > largest_half)
    return std::copysign(std::numeric_limits<double>::infinity(), value);
  return near;
}

/// A cross-correlation of dense NCHW tensors: x [n,c,h,w] with filters [k,c,r,s] into y [n,k,p,q].
struct ConvolutionSize {
  std::int64_t n, c, h, w, k, r, s, p, q;
  std::int64_t pad_h, pad_w, stride_h, stride_w;
  Factors factors = Factors::exact;

  std::int64_t x_count() const { return n * c * h * w; }
  std::int64_t w_count() const { return k * c * r * s; }
  std::int64_t y_count() const { return n * k * p * q; }
  std::int64_t taps() const { return c * r * s; }  // of one filter
  std::int64_t outputs() const { return p * q; }   // of one filter and image

  /// Calls `meet(tap, output, input)` with the offsets [0, taps), [0, outputs) and [0, c*h*w) of
  /// everything that meets inside an image.
  template <class Meet>
  void each_meeting(Meet meet) const {
    for (std::int64_t tap = 0; tap < taps(); ++tap) {
      const std::int64_t column = tap % s, row = tap / s % r, channel = tap / (s * r);
      for (std::int64_t i = 0; i < p; ++i) {
        const std::int64_t line = i * stride_h - pad_h + row;
        if (line < 0 || line >= h) continue;
        for (std::int64_t j = 0; j < q; ++j) {
          const std::int64_t place = j * stride_w - pad_w + column;
          if (place >= 0 && place < w) meet(tap, i * q + j, (channel * h + line) * w + place);
        }
      }
    }
  }
};

// Products of matrices in double, so that the emulation adds no rounding of its own to what is
// compared. As cuDNN has it, the result is alpha * sum + beta * what was there, which is not read
// when beta is 0.

using Doubles = std::vector<double>;

inline Doubles zeros(std::int64_t count) {
  return Doubles(static_cast<std::size_t>(count), 0.0);
}

/// c [rows,columns] += op(a) op(b) with `inner` terms a sum, all stored by rows.
inline void add_product(bool transpose_a, bool transpose_b, std::int64_t rows, std::int64_t columns,
                        std::int64_t inner, const double* a, const double* b, double* c) {
  const auto count = [](std::int64_t extent) { return static_cast<int>(extent); };
  cblas_dgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans,
              transpose_b ? CblasTrans : CblasNoTrans, count(rows), count(columns), count(inner),
              1.0, a, count(transpose_a ? rows : inner), b, count(transpose_b ? inner : columns),
              1.0, c, count(columns));
}

template <class T>
void store(T* to, const double* sums, std::int64_t count, T alpha, T beta) {
  for (std::int64_t i = 0; i < count; ++i) {
    const double kept = beta == T{0} ? 0.0 : static_cast<double>(beta) * to[i];
    to[i] = static_cast<T>(alpha * sums[i] + kept);
  }
}

/// [taps, outputs]: the input under every tap of every output of one image.
template <class T>
void gather_columns(const ConvolutionSize& of, const T* image, Doubles& columns) {
  std::fill(columns.begin(), columns.end(), 0.0);
  of.each_meeting([&](std::int64_t tap, std::int64_t output, std::int64_t input) {
    columns[static_cast<std::size_t>(tap * of.outputs() + output)] =
        rounded(static_cast<double>(image[input]), of.factors);
  });
}

/// The sums of one image's convolution, [k, outputs]; `columns` is scratch.
template <class T>
Doubles convolved(const ConvolutionSize& of, const T* image, const Doubles& filters,
                  Doubles& columns) {
  gather_columns(of, image, columns);
  Doubles sums = zeros(of.k * of.outputs());
  add_product(false, false, of.k, of.outputs(), of.taps(), filters.data(), columns.data(),
              sums.data());
  return sums;
}

/// `count` factors as the convolution rounds them.
template <class T>
Doubles factors_of(const ConvolutionSize& of, const T* values, std::int64_t count) {
  Doubles factors(values, values + count);
  for (double& value : factors) value = rounded(value, of.factors);
  return factors;
}

template <class T>
void convolve(const ConvolutionSize& of, T alpha, const T* x, const T* filter, T beta, T* y) {
  const Doubles filters = factors_of(of, filter, of.w_count());
  Doubles columns = zeros(of.taps() * of.outputs());
  const std::int64_t made = of.k * of.outputs();
  for (std::int64_t n = 0; n < of.n; ++n) {
    const Doubles sums = convolved(of, x + n * of.c * of.h * of.w, filters, columns);
    store(y + n * made, sums.data(), made, alpha, beta);
  }
}

/// relu(x * filter + factor added + bias), `added` [n,k,p,q] not being read when the factor is 0.
template <class T>
void convolve_fused(const ConvolutionSize& of, T alpha, const T* x, const T* filter, T factor,
                    const T* added, const T* bias, T* y) {
  const Doubles filters = factors_of(of, filter, of.w_count());
  Doubles columns = zeros(of.taps() * of.outputs());
  for (std::int64_t n = 0; n < of.n; ++n) {
    const Doubles sums = convolved(of, x + n * of.c * of.h * of.w, filters, columns);
    for (std::size_t i = 0; i < sums.size(); ++i) {
      const std::int64_t at = n * of.k * of.outputs() + static_cast<std::int64_t>(i);
      double sum = static_cast<double>(alpha) * sums[i];
      if (factor != T{0}) sum += static_cast<double>(factor) * static_cast<double>(added[at]);
      sum += static_cast<double>(bias[static_cast<std::int64_t>(i) / of.outputs()]);
      y[at] = static_cast<T>(sum > 0.0 ? sum : 0.0);
    }
  }
}

template <class T>
void convolve_data_adjoint(const ConvolutionSize& of, T alpha, const T* filter, const T* gy, T beta,
                           T* gx) {
  const Doubles filters = factors_of(of, filter, of.w_count());
  const std::int64_t given = of.k * of.outputs(), made = of.c * of.h * of.w;
  for (std::int64_t n = 0; n < of.n; ++n) {
    const Doubles gradient = factors_of(of, gy + n * given, given);
    Doubles columns = zeros(of.taps() * of.outputs()), sums = zeros(made);
    add_product(true, false, of.taps(), of.outputs(), of.k, filters.data(), gradient.data(),
                columns.data());
    of.each_meeting([&](std::int64_t tap, std::int64_t output, std::int64_t input) {
      sums[static_cast<std::size_t>(input)] +=
          columns[static_cast<std::size_t>(tap * of.outputs() + output)];
    });
    store(gx + n * made, sums.data(), made, alpha, beta);
  }
}

template <class T>
void convolve_filter_adjoint(const ConvolutionSize& of, T alpha, const T* x, const T* gy, T beta,
                             T* gw) {
  Doubles columns = zeros(of.taps() * of.outputs()), sums = zeros(of.w_count());
  const std::int64_t given = of.k * of.outputs();
  for (std::int64_t n = 0; n < of.n; ++n) {
    const Doubles gradient = factors_of(of, gy + n * given, given);
    gather_columns(of, x + n * of.c * of.h * of.w, columns);
    add_product(false, true, of.k, of.taps(), of.outputs(), gradient.data(), columns.data(),
                sums.data());
  }
  store(gw, sums.data(), of.w_count(), alpha, beta);
}

}  // namespace cuda_on_host
