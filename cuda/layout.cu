// SPDX-License-Identifier: MIT
#include "atomtrack/primitives/checks.hpp"
#include "cuda/cuda_primitives.hpp"
#include "cuda/launch.hpp"
#include "cuda/strided_loop.hpp"

namespace atomtrack {
namespace cuda {
namespace {

/// dst[second offset] = or += src[first offset].
template <class T>
__global__ void strided_copy_kernel(const T* src, StridedLoop<2> loop, std::int64_t count,
                                    bool accumulate, T* dst) {
  for (std::int64_t i = first_item(); i < count; i += item_step()) {
    std::int64_t at[2];
    loop.offsets(i, at);
    const T value = src[at[0]];
    dst[at[1]] = accumulate ? dst[at[1]] + value : value;
  }
}

template <class T>
__global__ void gather_kernel(const T* src, const std::int32_t* indices, std::int64_t count,
                              T* dst) {
  for (std::int64_t i = first_item(); i < count; i += item_step()) dst[i] = src[indices[i]];
}

template <class T>
__global__ void scatter_add_kernel(const T* src, const std::int32_t* indices, std::int64_t count,
                                   T* dst) {
  for (std::int64_t i = first_item(); i < count; i += item_step())
    atomicAdd(&dst[indices[i]], src[i]);
}

std::int64_t flat(const Shape& position, const Strides& strides) {
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < position.rank(); ++i) offset += position.begin()[i] * strides[i];
  return offset;
}

}  // namespace
}  // namespace cuda

template <class T>
void CudaPrimitives<T>::copy_block(const Tensor<T>& src, const Shape& src_start, Write write,
                                   Tensor<T>& dst, const Shape& dst_start, const Shape& extent) {
  checks::block(src.shape(), src_start, dst.shape(), dst_start, extent);
  const std::int64_t count = extent.numel();
  if (count == 0) return;
  const Strides from = dense_strides(src.shape());
  const Strides to = dense_strides(dst.shape());
  cuda::launch("copy_block", cuda::strided_copy_kernel<T>, cuda::grid_for(count),
               cuda::block_threads, context(), src.data() + cuda::flat(src_start, from),
               cuda::strided_loop<2>(extent, {from, to}), count, write == Write::accumulate,
               dst.data() + cuda::flat(dst_start, to));
}

template <class T>
void CudaPrimitives<T>::permute(const Tensor<T>& src, std::span<const int> order, Tensor<T>& dst) {
  checks::permutation(src.shape(), order, dst.shape());
  const std::int64_t count = dst.numel();
  if (count == 0) return;
  const Strides dense = dense_strides(src.shape());
  Strides permuted{};
  for (std::size_t i = 0; i < order.size(); ++i)
    permuted[i] = dense[static_cast<std::size_t>(order[i])];
  cuda::launch("permute", cuda::strided_copy_kernel<T>, cuda::grid_for(count), cuda::block_threads,
               context(), src.data(),
               cuda::strided_loop<2>(dst.shape(), {permuted, dense_strides(dst.shape())}), count,
               false, dst.data());
}

template <class T>
void CudaPrimitives<T>::gather(const Tensor<T>& src, const Tensor<std::int32_t>& indices,
                               Tensor<T>& dst) {
  checks::same_shape("gather", indices.shape(), dst.shape());
  const std::int64_t count = dst.numel();
  if (count == 0) return;
  cuda::launch("gather", cuda::gather_kernel<T>, cuda::grid_for(count), cuda::block_threads,
               context(), src.data(), indices.data(), count, dst.data());
}

template <class T>
void CudaPrimitives<T>::scatter_add(const Tensor<T>& src, const Tensor<std::int32_t>& indices,
                                    Write write, Tensor<T>& dst) {
  checks::same_shape("scatter_add", indices.shape(), src.shape());
  if (write == Write::overwrite) device_memory(device()).set_zero(dst.data(), dst.bytes());
  const std::int64_t count = src.numel();
  if (count == 0) return;
  cuda::launch("scatter_add", cuda::scatter_add_kernel<T>, cuda::grid_for(count),
               cuda::block_threads, context(), src.data(), indices.data(), count, dst.data());
}

template class CudaPrimitives<float>;
template class CudaPrimitives<double>;

}  // namespace atomtrack
