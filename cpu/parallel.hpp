// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>

#ifdef _OPENMP
#include <omp.h>
#endif

#include "atomtrack/primitives/primitives.hpp"

namespace atomtrack::cpu {

/// How many pieces `parallel_for` cuts `count` items into, at least `grain` each: at most one per
/// thread, one inside a parallel region.
inline std::int64_t pieces([[maybe_unused]] std::int64_t count,
                           [[maybe_unused]] std::int64_t grain) {
#ifdef _OPENMP
  if (omp_in_parallel() == 0) {
    return std::clamp<std::int64_t>(count / std::max<std::int64_t>(grain, 1), 1, threads());
  }
#endif
  return 1;
}

/// Calls f(piece, begin, end) for contiguous pieces of 0 .. count-1, in parallel when there are at
/// least two. The cut depends on `count`, `grain` and `threads()` alone. f must not throw.
template <class F>
void parallel_pieces(std::int64_t count, std::int64_t grain, F f) {
  const std::int64_t n = pieces(count, grain);
  if (n == 1) {
    f(std::int64_t{0}, std::int64_t{0}, count);
    return;
  }
#ifdef _OPENMP
#pragma omp parallel for num_threads(static_cast <int>(n)) schedule(static)
  for (std::int64_t i = 0; i < n; ++i) f(i, i * count / n, (i + 1) * count / n);
#endif
}

/// The same without the piece's number.
template <class F>
void parallel_for(std::int64_t count, std::int64_t grain, F f) {
  parallel_pieces(count, grain,
                  [&](std::int64_t, std::int64_t begin, std::int64_t end) { f(begin, end); });
}

/// Elements below which a loop over memory is not worth a second thread.
constexpr std::int64_t elementwise_grain = 32768;

/// Makes OpenMP and BLAS in the calling thread use `threads()` threads: their settings are the
/// calling thread's own.
void apply_thread_setting();

}  // namespace atomtrack::cpu
