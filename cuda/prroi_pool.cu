// SPDX-License-Identifier: MIT
#include <algorithm>

#include "atomtrack/primitives/checks.hpp"
#include "atomtrack/primitives/scalar/prroi_weights.hpp"
#include "cuda/cuda_primitives.hpp"
#include "cuda/launch.hpp"

namespace atomtrack {
namespace cuda {
namespace {

using scalar::PrRoiBin;
using scalar::PrRoiGradient;

// Pooling is separable (primitives/scalar/prroi_weights.hpp): all of P, Q and their derivatives are
// sums over cells of a_y[p,i] F[i,j] a_x[q,j] with this or that derivative of the one-dimensional
// weights. A first kernel tabulates the weights of every roi, axis and bin; the others only
// multiply and add, each result in one thread or one block and in a fixed order, so no atomics are
// needed.

/// What is tabulated of a weight a[bin, cell].
enum Weight { value, start_gradient, end_gradient, tangent, tangent_start, tangent_end };
constexpr int weight_kinds = 6;

/// The problem, and where its tables lie: weights [K, 2 axes, weight_kinds, bins, cells] padded to
/// the larger axis, ranges [K, 2, bins, 2], images [K] (-1: the roi pools to zeros).
template <class T>
struct Tables {
  std::int64_t rois, images, channels, height, width;
  int kinds;  // how many of the weights are filled in
  PrRoiGeometry geometry;
  std::int64_t bins, cells;  // the larger of the two axes'
  T* weights;
  std::int32_t* ranges;
  std::int32_t* image;

  __device__ std::int64_t bins_of(int axis) const {
    return axis == 0 ? geometry.pooled_height : geometry.pooled_width;
  }
  __device__ std::int64_t extent_of(int axis) const { return axis == 0 ? height : width; }
  __device__ T* row(std::int64_t roi, int axis, int kind, std::int64_t bin) const {
    return weights + ((((roi * 2 + axis) * kinds + kind) * bins) + bin) * cells;
  }
  __device__ std::int32_t* range(std::int64_t roi, int axis, std::int64_t bin) const {
    return ranges + ((roi * 2 + axis) * bins + bin) * 2;
  }
};

/// One thread per roi, axis and bin.
template <class T>
__global__ void tabulate_kernel(Tables<T> tables, const T* rois, const T* tangents,
                                std::int64_t count) {
  for (std::int64_t i = first_item(); i < count; i += item_step()) {
    const std::int64_t bin_index = i % tables.bins;
    const int axis = static_cast<int>(i / tables.bins % 2);
    const std::int64_t k = i / (2 * tables.bins);
    const T* roi = rois + 5 * k;
    const T scale = static_cast<T>(tables.geometry.spatial_scale);
    const bool fits =
        roi[0] >= T(0) && roi[0] < static_cast<T>(tables.images) &&
        scalar::prroi_has_area(roi[1] * scale, roi[2] * scale, roi[3] * scale, roi[4] * scale);
    if (axis == 0 && bin_index == 0)
      tables.image[k] = fits ? static_cast<std::int32_t>(roi[0]) : -1;
    if (!fits || bin_index >= tables.bins_of(axis)) continue;
    const int from = axis == 0 ? 2 : 1;  // rows are (image, x0, y0, x1, y1)
    const std::int64_t extent = tables.extent_of(axis);
    const PrRoiBin<T> bin = scalar::prroi_bin(roi[from] * scale, roi[from + 2] * scale, bin_index,
                                              tables.bins_of(axis));
    const std::int64_t begin = scalar::prroi_first_cell(bin, extent);
    const std::int64_t end = scalar::prroi_end_cell(bin, extent);
    tables.range(k, axis, bin_index)[0] = static_cast<std::int32_t>(begin);
    tables.range(k, axis, bin_index)[1] = static_cast<std::int32_t>(end > begin ? end : begin);
    PrRoiGradient<T> moved{T(0), T(0)};
    if (tangents != nullptr)
      moved = {tangents[5 * k + from] * scale, tangents[5 * k + from + 2] * scale};
    for (std::int64_t cell = begin; cell < end; ++cell) {
      tables.row(k, axis, value, bin_index)[cell] = scalar::prroi_weight(bin, cell);
      if (tables.kinds > start_gradient) {
        const PrRoiGradient<T> gradient = scalar::prroi_weight_gradient(bin, cell);
        tables.row(k, axis, start_gradient, bin_index)[cell] = gradient.start;
        tables.row(k, axis, end_gradient, bin_index)[cell] = gradient.end;
      }
      if (tables.kinds > tangent) {
        const PrRoiGradient<T> turned = scalar::prroi_weight_tangent_gradient(bin, cell, moved);
        tables.row(k, axis, tangent, bin_index)[cell] =
            scalar::prroi_weight_tangent(bin, cell, moved);
        tables.row(k, axis, tangent_start, bin_index)[cell] = turned.start;
        tables.row(k, axis, tangent_end, bin_index)[cell] = turned.end;
      }
    }
  }
}

/// A sum of at most two separable terms; a second kind of -1 means none.
struct Terms {
  int y[2], x[2];
};
constexpr Terms pooling{{value, -1}, {value, -1}};                    // P
constexpr Terms pooling_tangent{{tangent, value}, {value, tangent}};  // Q

/// The terms summed over the cells of bin (p, q) of roi k, on one channel's map.
template <class T>
__device__ T pooled_value(const Tables<T>& tables, const Terms& terms, const T* map, std::int64_t k,
                          std::int64_t p, std::int64_t q) {
  const std::int32_t* down = tables.range(k, 0, p);
  const std::int32_t* across = tables.range(k, 1, q);
  T sum{0};
  for (int term = 0; term < 2; ++term) {
    if (terms.y[term] < 0) break;
    const T* wy = tables.row(k, 0, terms.y[term], p);
    const T* wx = tables.row(k, 1, terms.x[term], q);
    for (std::int32_t i = down[0]; i < down[1]; ++i) {
      T line{0};
      for (std::int32_t j = across[0]; j < across[1]; ++j)
        line += wx[j] * map[i * tables.width + j];
      sum += wy[i] * line;
    }
  }
  return sum;
}

/// One thread per pooled value.
template <class T>
__global__ void pool_kernel(Tables<T> tables, Terms terms, const T* features, std::int64_t count,
                            T* pooled) {
  const std::int64_t columns = tables.geometry.pooled_width, rows = tables.geometry.pooled_height;
  for (std::int64_t index = first_item(); index < count; index += item_step()) {
    const std::int64_t q = index % columns, p = index / columns % rows;
    const std::int64_t c = index / (columns * rows) % tables.channels;
    const std::int64_t k = index / (columns * rows * tables.channels);
    const std::int32_t image = tables.image[k];
    const T* map = features + (image * tables.channels + c) * tables.height * tables.width;
    pooled[index] = image < 0 ? T{0} : pooled_value(tables, terms, map, k, p, q);
  }
}

/// One thread per cell of the map: it gathers from the bins that reach it, roi by roi.
template <class T>
__global__ void pool_adjoint_kernel(Tables<T> tables, Terms terms, const T* grad_pooled,
                                    std::int64_t count, bool accumulate, T* grad_features) {
  const std::int64_t columns = tables.geometry.pooled_width, rows = tables.geometry.pooled_height;
  for (std::int64_t index = first_item(); index < count; index += item_step()) {
    const std::int64_t j = index % tables.width, i = index / tables.width % tables.height;
    const std::int64_t c = index / (tables.width * tables.height) % tables.channels;
    const std::int64_t n = index / (tables.width * tables.height * tables.channels);
    T sum{0};
    for (std::int64_t k = 0; k < tables.rois; ++k) {
      if (tables.image[k] != n) continue;
      // Neither the first row of bins nor the last one ends before or begins after the cell.
      if (i < tables.range(k, 0, 0)[0] || i >= tables.range(k, 0, rows - 1)[1]) continue;
      if (j < tables.range(k, 1, 0)[0] || j >= tables.range(k, 1, columns - 1)[1]) continue;
      const T* grad = grad_pooled + (k * tables.channels + c) * rows * columns;
      for (std::int64_t p = 0; p < rows; ++p) {
        const std::int32_t* down = tables.range(k, 0, p);
        if (i < down[0] || i >= down[1]) continue;
        for (std::int64_t q = 0; q < columns; ++q) {
          const std::int32_t* across = tables.range(k, 1, q);
          if (j < across[0] || j >= across[1]) continue;
          T weight = tables.row(k, 0, terms.y[0], p)[i] * tables.row(k, 1, terms.x[0], q)[j];
          if (terms.y[1] >= 0)
            weight += tables.row(k, 0, terms.y[1], p)[i] * tables.row(k, 1, terms.x[1], q)[j];
          sum += weight * grad[p * columns + q];
        }
      }
    }
    grad_features[index] = (accumulate ? grad_features[index] : T{0}) + sum;
  }
}

/// The terms of the derivative in each of x0, y0, x1, y1.
struct RoiTerms {
  Terms corner[4];
};
constexpr RoiTerms pooling_gradient{{{{value, -1}, {start_gradient, -1}},
                                     {{start_gradient, -1}, {value, -1}},
                                     {{value, -1}, {end_gradient, -1}},
                                     {{end_gradient, -1}, {value, -1}}}};
// d (a_y' a_x + a_y a_x') = (d a_y') a_x + (d a_y) a_x' along y, and its mirror image along x.
constexpr RoiTerms tangent_gradient{{{{value, tangent}, {tangent_start, start_gradient}},
                                     {{tangent_start, start_gradient}, {value, tangent}},
                                     {{value, tangent}, {tangent_end, end_gradient}},
                                     {{tangent_end, end_gradient}, {value, tangent}}}};

// Two blocks of so many threads may share a multiprocessor: more would leave too few registers.
constexpr int gradient_threads = 128;
constexpr std::int64_t most_parts = 16;

/// A block sums grad_pooled * features * weights over a part of a roi's channels, for one of the
/// four corners: block (part, roi), parts [K, gridDim.x, 4] in double.
template <class T>
__global__ void __launch_bounds__(gradient_threads, 2)
    roi_gradient_kernel(Tables<T> tables, Terms of, int corner, const T* features,
                        const T* grad_pooled, double* parts) {
  __shared__ double shares[gradient_threads];
  const std::int64_t columns = tables.geometry.pooled_width, rows = tables.geometry.pooled_height;
  const std::int64_t bins = rows * columns;
  const std::int64_t k = blockIdx.y;
  double total = 0.0;
  if (tables.image[k] >= 0) {
    const std::int64_t first = static_cast<std::int64_t>(blockIdx.x) * gradient_threads;
    const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * gradient_threads;
    for (std::int64_t index = first + threadIdx.x; index < tables.channels * bins; index += step) {
      const std::int64_t q = index % columns, p = index / columns % rows, c = index / bins;
      const T* map =
          features + (tables.image[k] * tables.channels + c) * tables.height * tables.width;
      const T sum = pooled_value(tables, of, map, k, p, q);
      total += static_cast<double>(grad_pooled[k * tables.channels * bins + index]) *
               static_cast<double>(sum);
    }
  }
  shares[threadIdx.x] = total;
  __syncthreads();
  for (unsigned half = gradient_threads / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) shares[threadIdx.x] += shares[threadIdx.x + half];
    __syncthreads();
  }
  if (threadIdx.x == 0) parts[(k * gridDim.x + blockIdx.x) * 4 + corner] = shares[0];
}

/// Adds up the parts, in order, back in image pixels.
template <class T>
__global__ void roi_gradient_sum_kernel(const double* parts, std::int64_t count,
                                        std::int64_t parts_each, double scale, T* grad_rois) {
  for (std::int64_t index = first_item(); index < count; index += item_step()) {
    const std::int64_t column = index % 5, k = index / 5;
    double sum = 0.0;
    if (column > 0) {
      for (std::int64_t part = 0; part < parts_each; ++part)
        sum += parts[(k * parts_each + part) * 4 + column - 1];
    }
    grad_rois[index] = static_cast<T>(sum * scale);
  }
}

/// The tables of a call and the memory they lie in.
template <class T>
struct TableMemory {
  TableMemory(const Context& context, const Shape& features, const Tensor<T>& rois,
              const Tensor<T>* tangents, int kinds, PrRoiGeometry geometry)
      : tables{rois.extent(0), features[0], features[1], features[2], features[3], kinds,
               geometry,       0,           0,           nullptr,     nullptr,     nullptr} {
    tables.bins = std::max(geometry.pooled_height, geometry.pooled_width);
    tables.cells = std::max(features[2], features[3]);
    const Device device = context.device();
    weights = Tensor<T>(Shape{tables.rois * 2, kinds, tables.bins, tables.cells}, device);
    ranges = Tensor<std::int32_t>(Shape{tables.rois * 2, tables.bins, 2}, device);
    image = Tensor<std::int32_t>(Shape{tables.rois}, device);
    tables.weights = weights.data();
    tables.ranges = ranges.data();
    tables.image = image.data();
    const std::int64_t count = tables.rois * 2 * tables.bins;
    launch("prroi_tabulate", tabulate_kernel<T>, grid_for(count), block_threads, context, tables,
           rois.data(), tangents != nullptr ? tangents->data() : nullptr, count);
  }

  Tables<T> tables;
  Tensor<T> weights;
  Tensor<std::int32_t> ranges, image;
};

template <class T>
void pool(const Context& context, const Tensor<T>& features, const Tensor<T>& rois,
          const Tensor<T>* tangents, PrRoiGeometry geometry, Tensor<T>& pooled) {
  const std::int64_t count = pooled.numel();
  if (count == 0) return;
  const TableMemory<T> memory(context, features.shape(), rois, tangents,
                              tangents != nullptr ? weight_kinds : 1, geometry);
  launch("prroi_pool", pool_kernel<T>, grid_for(count), block_threads, context, memory.tables,
         tangents != nullptr ? pooling_tangent : pooling, features.data(), count, pooled.data());
}

template <class T>
void pool_adjoint(const Context& context, const Tensor<T>& grad_pooled, const Tensor<T>& rois,
                  const Tensor<T>* tangents, PrRoiGeometry geometry, Write write,
                  Tensor<T>& grad_features) {
  const std::int64_t count = grad_features.numel();
  if (count == 0) return;
  const TableMemory<T> memory(context, grad_features.shape(), rois, tangents,
                              tangents != nullptr ? weight_kinds : 1, geometry);
  launch("prroi_pool_adjoint", pool_adjoint_kernel<T>, grid_for(count), block_threads, context,
         memory.tables, tangents != nullptr ? pooling_tangent : pooling, grad_pooled.data(), count,
         write == Write::accumulate, grad_features.data());
}

template <class T>
void roi_gradient(const Context& context, const Tensor<T>& features, const Tensor<T>& rois,
                  const Tensor<T>* tangents, const Tensor<T>& grad_pooled, PrRoiGeometry geometry,
                  Tensor<T>& grad_rois) {
  const std::int64_t count = rois.extent(0);
  if (count == 0) return;
  require<ShapeError>(count <= 65535, "prroi_pool: ", count, " rois, at most 65535 on a GPU");
  const TableMemory<T> memory(context, features.shape(), rois, tangents,
                              tangents != nullptr ? weight_kinds : end_gradient + 1, geometry);
  const std::int64_t per_roi = features.extent(1) * geometry.pooled_height * geometry.pooled_width;
  const std::int64_t parts =
      std::clamp<std::int64_t>(per_roi / (4 * gradient_threads), 1, most_parts);
  Tensor<double> sums(Shape{count, parts, 4}, context.device());
  const RoiTerms& terms = tangents != nullptr ? tangent_gradient : pooling_gradient;
  for (int corner = 0; corner < 4; ++corner) {
    launch("prroi_roi_gradient", roi_gradient_kernel<T>,
           dim3(static_cast<unsigned>(parts), static_cast<unsigned>(count)), dim3(gradient_threads),
           context, memory.tables, terms.corner[corner], corner, features.data(),
           grad_pooled.data(), sums.data());
  }
  launch("prroi_roi_gradient_sum", roi_gradient_sum_kernel<T>, grid_for(count * 5), block_threads,
         context, sums.data(), count * 5, parts, geometry.spatial_scale, grad_rois.data());
}

}  // namespace
}  // namespace cuda

template <class T>
void CudaPrimitives<T>::prroi_pool(const Tensor<T>& features, const Tensor<T>& rois,
                                   PrRoiGeometry geometry, Tensor<T>& pooled) {
  checks::prroi_pool(features.shape(), rois.shape(), geometry, pooled.shape());
  cuda::pool<T>(context(), features, rois, nullptr, geometry, pooled);
}

template <class T>
void CudaPrimitives<T>::prroi_pool_adjoint(const Tensor<T>& grad_pooled, const Tensor<T>& rois,
                                           PrRoiGeometry geometry, Write write,
                                           Tensor<T>& grad_features) {
  checks::prroi_pool(grad_features.shape(), rois.shape(), geometry, grad_pooled.shape());
  cuda::pool_adjoint<T>(context(), grad_pooled, rois, nullptr, geometry, write, grad_features);
}

template <class T>
void CudaPrimitives<T>::prroi_pool_roi_gradient(const Tensor<T>& features, const Tensor<T>& rois,
                                                const Tensor<T>& grad_pooled,
                                                PrRoiGeometry geometry, Tensor<T>& grad_rois) {
  checks::prroi_pool(features.shape(), rois.shape(), geometry, grad_pooled.shape());
  checks::same_shape("prroi_pool_roi_gradient", rois.shape(), grad_rois.shape());
  cuda::roi_gradient<T>(context(), features, rois, nullptr, grad_pooled, geometry, grad_rois);
}

template <class T>
void CudaPrimitives<T>::prroi_pool_tangent(const Tensor<T>& features, const Tensor<T>& rois,
                                           const Tensor<T>& tangent, PrRoiGeometry geometry,
                                           Tensor<T>& pooled) {
  checks::prroi_pool(features.shape(), rois.shape(), geometry, pooled.shape());
  checks::same_shape("prroi_pool_tangent", rois.shape(), tangent.shape());
  cuda::pool<T>(context(), features, rois, &tangent, geometry, pooled);
}

template <class T>
void CudaPrimitives<T>::prroi_pool_tangent_adjoint(const Tensor<T>& grad_pooled,
                                                   const Tensor<T>& rois, const Tensor<T>& tangent,
                                                   PrRoiGeometry geometry, Write write,
                                                   Tensor<T>& grad_features) {
  checks::prroi_pool(grad_features.shape(), rois.shape(), geometry, grad_pooled.shape());
  checks::same_shape("prroi_pool_tangent_adjoint", rois.shape(), tangent.shape());
  cuda::pool_adjoint<T>(context(), grad_pooled, rois, &tangent, geometry, write, grad_features);
}

template <class T>
void CudaPrimitives<T>::prroi_pool_tangent_roi_gradient(
    const Tensor<T>& features, const Tensor<T>& rois, const Tensor<T>& tangent,
    const Tensor<T>& grad_pooled, PrRoiGeometry geometry, Tensor<T>& grad_rois) {
  checks::prroi_pool(features.shape(), rois.shape(), geometry, grad_pooled.shape());
  checks::same_shape("prroi_pool_tangent_roi_gradient", rois.shape(), tangent.shape());
  checks::same_shape("prroi_pool_tangent_roi_gradient", rois.shape(), grad_rois.shape());
  cuda::roi_gradient<T>(context(), features, rois, &tangent, grad_pooled, geometry, grad_rois);
}

template class CudaPrimitives<float>;
template class CudaPrimitives<double>;

}  // namespace atomtrack
