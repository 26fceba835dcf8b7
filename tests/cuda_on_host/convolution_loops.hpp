// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace cuda_on_host {

/// A cross-correlation of dense NCHW tensors: x [n,c,h,w] with filters [k,c,r,s] into y [n,k,p,q].
struct ConvolutionSize {
  std::int64_t n, c, h, w, k, r, s, p, q;
  std::int64_t pad_h, pad_w, stride_h, stride_w;

  std::int64_t x_count() const { return n * c * h * w; }
  std::int64_t w_count() const { return k * c * r * s; }
  std::int64_t y_count() const { return n * k * p * q; }

  /// The outputs of a row that a filter's column meets inside the input: [first, end).
  struct Range {
    std::int64_t first, end;
  };
  Range outputs_meeting(std::int64_t column) const {
    const std::int64_t before = std::max<std::int64_t>(0, pad_w - column);
    const std::int64_t last = w - 1 + pad_w - column;  // of the strided positions
    return {(before + stride_w - 1) / stride_w, last < 0 ? 0 : std::min(q, last / stride_w + 1)};
  }
};

// Plain loops that add up in double, so that the emulation adds no rounding of its own. As cuDNN
// has it, the result is alpha * sum + beta * what was there, which is not read when beta is 0.

template <class T>
void store(T* to, const double* sums, std::int64_t count, T alpha, T beta) {
  for (std::int64_t i = 0; i < count; ++i) {
    const double kept = beta == T{0} ? 0.0 : static_cast<double>(beta) * to[i];
    to[i] = static_cast<T>(alpha * sums[i] + kept);
  }
}

template <class T>
void convolve(const ConvolutionSize& of, T alpha, const T* x, const T* filter, T beta, T* y) {
  std::vector<double> row(static_cast<std::size_t>(of.q));
  for (std::int64_t output = 0; output < of.n * of.k * of.p; ++output) {
    const std::int64_t i = output % of.p, k = output / of.p % of.k, n = output / (of.p * of.k);
    std::fill(row.begin(), row.end(), 0.0);
    for (std::int64_t c = 0; c < of.c; ++c) {
      for (std::int64_t r = 0; r < of.r; ++r) {
        const std::int64_t line = i * of.stride_h - of.pad_h + r;
        if (line < 0 || line >= of.h) continue;
        const T* source = x + ((n * of.c + c) * of.h + line) * of.w;
        for (std::int64_t s = 0; s < of.s; ++s) {
          const double factor = filter[((k * of.c + c) * of.r + r) * of.s + s];
          const auto [first, end] = of.outputs_meeting(s);
          for (std::int64_t j = first; j < end; ++j)
            row[static_cast<std::size_t>(j)] += factor * source[j * of.stride_w - of.pad_w + s];
        }
      }
    }
    store(y + output * of.q, row.data(), of.q, alpha, beta);
  }
}

template <class T>
void convolve_data_adjoint(const ConvolutionSize& of, T alpha, const T* filter, const T* gy, T beta,
                           T* gx) {
  std::vector<double> plane(static_cast<std::size_t>(of.h * of.w));
  for (std::int64_t output = 0; output < of.n * of.c; ++output) {
    const std::int64_t c = output % of.c, n = output / of.c;
    std::fill(plane.begin(), plane.end(), 0.0);
    for (std::int64_t k = 0; k < of.k; ++k) {
      for (std::int64_t i = 0; i < of.p; ++i) {
        const T* source = gy + ((n * of.k + k) * of.p + i) * of.q;
        for (std::int64_t r = 0; r < of.r; ++r) {
          const std::int64_t line = i * of.stride_h - of.pad_h + r;
          if (line < 0 || line >= of.h) continue;
          for (std::int64_t s = 0; s < of.s; ++s) {
            const double factor = filter[((k * of.c + c) * of.r + r) * of.s + s];
            const auto [first, end] = of.outputs_meeting(s);
            const std::int64_t start = line * of.w - of.pad_w + s;
            for (std::int64_t j = first; j < end; ++j)
              plane[static_cast<std::size_t>(start + j * of.stride_w)] += factor * source[j];
          }
        }
      }
    }
    store(gx + output * of.h * of.w, plane.data(), of.h * of.w, alpha, beta);
  }
}

template <class T>
void convolve_filter_adjoint(const ConvolutionSize& of, T alpha, const T* x, const T* gy, T beta,
                             T* gw) {
  for (std::int64_t output = 0; output < of.w_count(); ++output) {
    const std::int64_t s = output % of.s, r = output / of.s % of.r;
    const std::int64_t c = output / (of.s * of.r) % of.c, k = output / (of.s * of.r * of.c);
    const auto [first, end] = of.outputs_meeting(s);
    double sum = 0.0;
    for (std::int64_t n = 0; n < of.n; ++n) {
      for (std::int64_t i = 0; i < of.p; ++i) {
        const std::int64_t line = i * of.stride_h - of.pad_h + r;
        if (line < 0 || line >= of.h) continue;
        const T* source = x + ((n * of.c + c) * of.h + line) * of.w;
        const T* grad = gy + ((n * of.k + k) * of.p + i) * of.q;
        for (std::int64_t j = first; j < end; ++j)
          sum += static_cast<double>(grad[j]) * source[j * of.stride_w - of.pad_w + s];
      }
    }
    store(gw + output, &sum, 1, alpha, beta);
  }
}

}  // namespace cuda_on_host
