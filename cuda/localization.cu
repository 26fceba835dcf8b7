// SPDX-License-Identifier: MIT
#include "atomtrack/primitives/checks.hpp"
#include "atomtrack/primitives/scalar/peaks.hpp"
#include "cuda/cuda_primitives.hpp"
#include "cuda/launch.hpp"

namespace atomtrack {
namespace cuda {
namespace {

using scalar::Bounds;
using scalar::Peak;

constexpr int peak_threads = 1024;  // of one map

/// The highest of one peak per thread, given to all threads. Which one wins is a matter of value
/// and position alone, so that the order of comparisons does not show.
template <class T>
__device__ Peak<T> highest_in_block(const Peak<T>& mine) {
  __shared__ T values[peak_threads];
  __shared__ std::int64_t places[peak_threads];
  const unsigned thread = threadIdx.x;
  values[thread] = mine.value;
  places[thread] = mine.at;
  __syncthreads();
  for (unsigned half = peak_threads / 2; half > 0; half /= 2) {
    if (thread < half) {
      const Peak<T> other{places[thread + half], values[thread + half]};
      if (above(other, Peak<T>{places[thread], values[thread]})) {
        values[thread] = other.value;
        places[thread] = other.at;
      }
    }
    __syncthreads();
  }
  const Peak<T> best{places[0], values[0]};
  __syncthreads();  // before the next search writes here
  return best;
}

/// The highest value of a map, those within rows and columns counting as zeros.
template <class T>
__device__ Peak<T> highest(const T* map, std::int64_t height, std::int64_t width,
                           const Bounds& rows, const Bounds& columns) {
  const auto cell = [&](std::int64_t at) {
    const std::int64_t row = at / width, column = at % width;
    const bool out =
        row >= rows.first && row < rows.end && column >= columns.first && column < columns.end;
    return Peak<T>{at, out ? T{0} : map[at]};
  };
  const std::int64_t cells = height * width, first = threadIdx.x;
  Peak<T> best = cell(first < cells ? first : 0);  // a thread too many repeats the first cell
  for (std::int64_t at = first + peak_threads; at < cells; at += peak_threads) {
    const Peak<T> here = cell(at);
    if (above(here, best)) best = here;
  }
  return highest_in_block(best);
}

template <class T>
__global__ void __launch_bounds__(peak_threads)
    two_peaks_kernel(const T* maps, const double* sizes, std::int64_t height, std::int64_t width,
                     T* peaks) {
  const std::int64_t n = blockIdx.x;
  const T* map = maps + n * height * width;
  const Peak<T> first = highest(map, height, width, {0, 0}, {0, 0});
  const Peak<T> second =
      highest(map, height, width, scalar::neighbourhood(first.at / width, sizes[2 * n], height),
              scalar::neighbourhood(first.at % width, sizes[2 * n + 1], width));
  if (threadIdx.x != 0) return;
  T* to = peaks + 6 * n;
  const auto write = [&](const Peak<T>& peak) {
    *to++ = static_cast<T>(peak.at / width);
    *to++ = static_cast<T>(peak.at % width);
    *to++ = peak.value;
  };
  write(first);
  write(second);
}

}  // namespace
}  // namespace cuda

template <class T>
void CudaPrimitives<T>::two_peaks(const Tensor<T>& maps, const Tensor<double>& sizes,
                                  Tensor<T>& peaks) {
  checks::two_peaks(maps.shape(), sizes.shape(), peaks.shape());
  if (maps.extent(0) == 0) return;
  cuda::launch("two_peaks", cuda::two_peaks_kernel<T>, dim3(static_cast<unsigned>(maps.extent(0))),
               dim3(cuda::peak_threads), context(), maps.data(), sizes.data(), maps.extent(1),
               maps.extent(2), peaks.data());
}

template class CudaPrimitives<float>;
template class CudaPrimitives<double>;

}  // namespace atomtrack
