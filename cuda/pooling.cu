// SPDX-License-Identifier: MIT
#include <limits>

#include "atomtrack/primitives/checks.hpp"
#include "cuda/cuda_primitives.hpp"
#include "cuda/launch.hpp"

namespace atomtrack {
namespace cuda {
namespace {

/// Planes of height x width, and the windows of a pooling on each.
struct Windows {
  std::int64_t height, width, rows, columns;
  Pool2dGeometry geometry;
};

Windows windows_of(const Shape& x, const Shape& y, Pool2dGeometry geometry) {
  return {x[2], x[3], y[2], y[3], geometry};
}

/// The pixels of a window along one axis that lie inside an extent.
struct Range {
  std::int64_t begin, end;
};
__device__ Range window_range(std::int64_t index, const Pool2dGeometry& geometry,
                              std::int64_t extent) {
  const std::int64_t start = index * geometry.stride - geometry.padding;
  return {max(start, std::int64_t{0}), min(start + geometry.window, extent)};
}
/// The windows along one axis that hold a pixel.
__device__ Range covering_windows(std::int64_t pixel, const Pool2dGeometry& geometry,
                                  std::int64_t windows) {
  const std::int64_t last = (pixel + geometry.padding) / geometry.stride;
  const std::int64_t before = pixel + geometry.padding - geometry.window;
  const std::int64_t first = before < 0 ? 0 : before / geometry.stride + 1;
  return {first, min(last + 1, windows)};
}

template <class T>
__global__ void max_pool_kernel(const T* x, Windows at, std::int64_t count, T* y,
                                std::int32_t* indices) {
  for (std::int64_t i = first_item(); i < count; i += item_step()) {
    const std::int64_t column = i % at.columns, row = i / at.columns % at.rows;
    const std::int64_t plane = i / (at.columns * at.rows) * at.height * at.width;
    const Range down = window_range(row, at.geometry, at.height);
    const Range across = window_range(column, at.geometry, at.width);
    std::int64_t best = plane + down.begin * at.width + across.begin;
    T value = x[best];
    for (std::int64_t r = down.begin; r < down.end; ++r) {
      for (std::int64_t s = across.begin; s < across.end; ++s) {
        const std::int64_t candidate = plane + r * at.width + s;
        const T came = x[candidate];
        if (came > value || (came != came && value == value)) {
          value = came;
          best = candidate;
        }
      }
    }
    y[i] = value;
    indices[i] = static_cast<std::int32_t>(best);
  }
}

template <class T>
__global__ void average_pool_kernel(const T* x, Windows at, std::int64_t count, T* y) {
  const T share = T{1} / static_cast<T>(at.geometry.window * at.geometry.window);
  for (std::int64_t i = first_item(); i < count; i += item_step()) {
    const std::int64_t column = i % at.columns, row = i / at.columns % at.rows;
    const std::int64_t plane = i / (at.columns * at.rows) * at.height * at.width;
    const Range down = window_range(row, at.geometry, at.height);
    const Range across = window_range(column, at.geometry, at.width);
    T sum{0};
    for (std::int64_t r = down.begin; r < down.end; ++r)
      for (std::int64_t s = across.begin; s < across.end; ++s) sum += x[plane + r * at.width + s];
    y[i] = share * sum;
  }
}

/// Each pixel gathers from the windows that hold it.
template <class T>
__global__ void average_pool_adjoint_kernel(const T* gy, Windows at, std::int64_t count,
                                            bool accumulate, T* gx) {
  const T share = T{1} / static_cast<T>(at.geometry.window * at.geometry.window);
  for (std::int64_t i = first_item(); i < count; i += item_step()) {
    const std::int64_t column = i % at.width, row = i / at.width % at.height;
    const std::int64_t plane = i / (at.width * at.height) * at.rows * at.columns;
    const Range down = covering_windows(row, at.geometry, at.rows);
    const Range across = covering_windows(column, at.geometry, at.columns);
    T sum{0};
    for (std::int64_t r = down.begin; r < down.end; ++r)
      for (std::int64_t s = across.begin; s < across.end; ++s)
        sum += gy[plane + r * at.columns + s];
    gx[i] = (accumulate ? gx[i] : T{0}) + share * sum;
  }
}

}  // namespace
}  // namespace cuda

template <class T>
void CudaPrimitives<T>::max_pool2d(const Tensor<T>& x, Pool2dGeometry geometry, Tensor<T>& y,
                                   Tensor<std::int32_t>& indices) {
  checks::pool2d("max_pool2d", x.shape(), geometry, y.shape());
  checks::same_shape("max_pool2d", y.shape(), indices.shape());
  const std::int64_t count = y.numel();
  if (count == 0) return;
  cuda::launch("max_pool2d", cuda::max_pool_kernel<T>, cuda::grid_for(count), cuda::block_threads,
               context(), x.data(), cuda::windows_of(x.shape(), y.shape(), geometry), count,
               y.data(), indices.data());
}

template <class T>
void CudaPrimitives<T>::average_pool2d(const Tensor<T>& x, Pool2dGeometry geometry, Tensor<T>& y) {
  checks::pool2d("average_pool2d", x.shape(), geometry, y.shape());
  const std::int64_t count = y.numel();
  if (count == 0) return;
  cuda::launch("average_pool2d", cuda::average_pool_kernel<T>, cuda::grid_for(count),
               cuda::block_threads, context(), x.data(),
               cuda::windows_of(x.shape(), y.shape(), geometry), count, y.data());
}

template <class T>
void CudaPrimitives<T>::average_pool2d_adjoint(const Tensor<T>& gy, Pool2dGeometry geometry,
                                               Write write, Tensor<T>& gx) {
  checks::pool2d("average_pool2d_adjoint", gx.shape(), geometry, gy.shape());
  const std::int64_t count = gx.numel();
  if (count == 0) return;
  cuda::launch("average_pool2d_adjoint", cuda::average_pool_adjoint_kernel<T>,
               cuda::grid_for(count), cuda::block_threads, context(), gy.data(),
               cuda::windows_of(gx.shape(), gy.shape(), geometry), count,
               write == Write::accumulate, gx.data());
}

template class CudaPrimitives<float>;
template class CudaPrimitives<double>;

}  // namespace atomtrack
