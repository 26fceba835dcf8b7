// SPDX-License-Identifier: MIT
#include <algorithm>

#include "atomtrack/primitives/checks.hpp"
#include "cuda/cuda_primitives.hpp"
#include "cuda/launch.hpp"
#include "cuda/strided_loop.hpp"

namespace atomtrack {
namespace cuda {
namespace {

// Sums are formed in double, each thread's share in index order and the shares in a fixed tree, so
// that two runs agree bit for bit. A large sum is split over several blocks whose partial sums a
// second launch adds up.

constexpr int row_threads = 256;  // of one sum, side by side
constexpr int column_width = 32;  // neighbouring sums of one block
constexpr int column_height = 8;  // threads of one sum
constexpr std::int64_t blocks_wanted = 512;
constexpr std::int64_t most_splits = 256;
constexpr std::int64_t most_blocks = 2048;  // twice what the largest GPU runs at a time

/// The sum of one value per thread of a block of `row_threads`: given to thread 0.
__device__ double block_sum(double value) {
  __shared__ double shares[row_threads];
  const unsigned thread = threadIdx.x;
  shares[thread] = value;
  __syncthreads();
  for (unsigned half = row_threads / 2; half > 0; half /= 2) {
    if (thread < half) shares[thread] += shares[thread + half];
    __syncthreads();
  }
  // Thread 0 alone reads and, in the next sum, writes this share: no barrier is needed between.
  return thread == 0 ? shares[0] : 0.0;
}

/// What a launch sums: for each of `outputs` positions of `kept`, the source over `reduced`, split
/// into `splits` runs of `run` terms; partial sums go to [splits, outputs].
struct Sum {
  StridedLoop<1> kept, reduced;
  std::int64_t outputs = 1, terms = 1, splits = 1, run = 1;
};

template <class T>
__device__ void write_sum(double sum, std::int64_t output, const Sum& of, std::int64_t split,
                          bool accumulate, T* dst, double* partial) {
  if (of.splits > 1) {
    partial[split * of.outputs + output] = sum;
  } else {
    dst[output] = static_cast<T>(accumulate ? static_cast<double>(dst[output]) + sum : sum);
  }
}

/// One block per sum: for sums over neighbouring elements.
template <class From, class T>
__global__ void __launch_bounds__(row_threads)
    row_sums_kernel(const From* src, Sum of, bool accumulate, T* dst, double* partial) {
  const std::int64_t split = blockIdx.y;
  const std::int64_t end = min(of.terms, (split + 1) * of.run);
  for (std::int64_t output = blockIdx.x; output < of.outputs; output += gridDim.x) {
    std::int64_t base[1];
    of.kept.offsets(output, base);
    double sum = 0.0;
    for (std::int64_t r = split * of.run + threadIdx.x; r < end; r += row_threads) {
      std::int64_t at[1];
      of.reduced.offsets(r, at);
      sum += static_cast<double>(src[base[0] + at[0]]);
    }
    sum = block_sum(sum);
    if (threadIdx.x == 0) write_sum(sum, output, of, split, accumulate, dst, partial);
  }
}

/// A block of neighbouring sums: for sums whose results lie side by side.
template <class From, class T>
__global__ void __launch_bounds__(column_width* column_height)
    column_sums_kernel(const From* src, Sum of, bool accumulate, T* dst, double* partial) {
  __shared__ double shares[column_height][column_width];
  const std::int64_t split = blockIdx.y;
  const std::int64_t end = min(of.terms, (split + 1) * of.run);
  const std::int64_t output = static_cast<std::int64_t>(blockIdx.x) * column_width + threadIdx.x;
  double sum = 0.0;
  if (output < of.outputs) {
    std::int64_t base[1];
    of.kept.offsets(output, base);
    for (std::int64_t r = split * of.run + threadIdx.y; r < end; r += column_height) {
      std::int64_t at[1];
      of.reduced.offsets(r, at);
      sum += static_cast<double>(src[base[0] + at[0]]);
    }
  }
  shares[threadIdx.y][threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.y != 0 || output >= of.outputs) return;
  for (int y = 1; y < column_height; ++y) sum += shares[y][threadIdx.x];
  write_sum(sum, output, of, split, accumulate, dst, partial);
}

template <class From, class T>
void sum_once(const Context& context, const From* src, const Sum& of, bool by_columns,
              bool accumulate, T* dst, double* partial) {
  const auto splits = static_cast<unsigned>(of.splits);
  if (by_columns) {
    const auto blocks = static_cast<unsigned>((of.outputs + column_width - 1) / column_width);
    launch("column_sums", column_sums_kernel<From, T>, dim3(blocks, splits),
           dim3(column_width, column_height), context, src, of, accumulate, dst, partial);
  } else {
    const auto blocks = static_cast<unsigned>(std::min(of.outputs, most_blocks));
    launch("row_sums", row_sums_kernel<From, T>, dim3(blocks, splits), dim3(row_threads), context,
           src, of, accumulate, dst, partial);
  }
}

/// Sums `src` as `of` says (splits not yet chosen) into dst.
template <class T>
void sum_all(const Context& context, const T* src, Sum of, Write write, T* dst) {
  const bool by_columns =
      of.outputs > 1 && of.kept.rank > 0 && of.kept.stride[0][of.kept.rank - 1] == 1;
  const std::int64_t blocks =
      by_columns ? (of.outputs + column_width - 1) / column_width : of.outputs;
  const std::int64_t per_block = by_columns ? 4 * column_height : 4 * row_threads;
  of.splits = std::clamp<std::int64_t>(std::min(blocks_wanted / blocks, of.terms / per_block), 1,
                                       most_splits);
  of.run = (of.terms + of.splits - 1) / of.splits;
  const bool accumulate = write == Write::accumulate;
  if (of.splits == 1) {
    sum_once(context, src, of, by_columns, accumulate, dst, static_cast<double*>(nullptr));
    return;
  }
  Tensor<double> partial(Shape{of.splits, of.outputs}, context.device());
  sum_once(context, src, of, by_columns, accumulate, dst, partial.data());
  Sum rest;
  rest.kept.append(of.outputs, {1});
  rest.reduced.append(of.splits, {of.outputs});
  rest.outputs = of.outputs;
  rest.terms = rest.run = of.splits;
  sum_once(context, static_cast<const double*>(partial.data()), rest, of.outputs > 1, accumulate,
           dst, static_cast<double*>(nullptr));
}

/// Partial sums of a product, one per block.
template <class T>
__global__ void __launch_bounds__(row_threads)
    dot_kernel(const T* x, const T* y, std::int64_t count, bool accumulate, double* sums) {
  double sum = 0.0;
  for (std::int64_t i = first_item(); i < count; i += item_step())
    sum += static_cast<double>(x[i]) * static_cast<double>(y[i]);
  sum = block_sum(sum);
  if (threadIdx.x == 0) sums[blockIdx.x] = accumulate ? sums[blockIdx.x] + sum : sum;
}

}  // namespace
}  // namespace cuda

template <class T>
void CudaPrimitives<T>::reduce_sum(const Tensor<T>& src, Write write, Tensor<T>& dst) {
  checks::reduces_to(src.shape(), dst.shape());
  if (src.numel() == 0) {
    if (write == Write::overwrite) device_memory(device()).set_zero(dst.data(), dst.bytes());
    return;
  }
  cuda::Sum of;
  const Strides steps = dense_strides(src.shape());
  const Strides results = broadcast_strides(dst.shape(), src.shape());
  for (std::size_t axis = 0; axis < src.rank(); ++axis) {
    const std::int64_t extent = src.shape().begin()[axis];
    auto& loop = results[axis] == 0 ? of.reduced : of.kept;
    loop.append(extent, {steps[axis]});
  }
  of.outputs = dst.numel();
  of.terms = src.numel() / of.outputs;
  cuda::sum_all(context(), src.data(), of, write, dst.data());
}

template <class T>
void CudaPrimitives<T>::dot(const Tensor<T>& x, const Tensor<T>& y, Write write,
                            Tensor<double>& result) {
  checks::same_shape("dot", x.shape(), y.shape());
  checks::scalar("dot", result.shape());
  const std::int64_t count = x.numel();
  const bool accumulate = write == Write::accumulate;
  const std::int64_t blocks = std::clamp<std::int64_t>(count / (4 * cuda::row_threads), 1, 256);
  if (blocks == 1) {
    cuda::launch("dot", cuda::dot_kernel<T>, dim3(1), dim3(cuda::row_threads), context(), x.data(),
                 y.data(), count, accumulate, result.data());
    return;
  }
  Tensor<double> partial(Shape{blocks}, device());
  cuda::launch("dot", cuda::dot_kernel<T>, dim3(static_cast<unsigned>(blocks)),
               dim3(cuda::row_threads), context(), x.data(), y.data(), count, false,
               partial.data());
  cuda::Sum of;
  of.reduced.append(blocks, {1});
  of.terms = blocks;
  cuda::sum_all(context(), static_cast<const double*>(partial.data()), of, write, result.data());
}

template class CudaPrimitives<float>;
template class CudaPrimitives<double>;

}  // namespace atomtrack
