// SPDX-License-Identifier: MIT
#include "atomtrack/primitives/checks.hpp"
#include "cuda/cuda_primitives.hpp"
#include "cuda/launch.hpp"
#include "cuda/strided_loop.hpp"

namespace atomtrack {
namespace cuda {
namespace {

template <class T>
__global__ void fill_kernel(T value, std::int64_t count, T* dst) {
  for (std::int64_t i = first_item(); i < count; i += item_step()) dst[i] = value;
}

template <class T>
__global__ void map_kernel(Map f, const T* src, std::int64_t count, T* dst) {
  for (std::int64_t i = first_item(); i < count; i += item_step())
    dst[i] = scalar::apply(f, src[i]);
}

template <class T>
__global__ void combine_kernel(Combination f, const T* a, const T* b, StridedLoop<2> loop,
                               std::int64_t count, T* dst) {
  for (std::int64_t i = first_item(); i < count; i += item_step()) {
    std::int64_t at[2];
    loop.offsets(i, at);
    dst[i] = scalar::combine(f, a[at[0]], b[at[1]]);
  }
}

template <class T>
__global__ void axpy_kernel(double factor, const double* alpha, const T* x, std::int64_t count,
                            T* y) {
  const T step = static_cast<T>(factor * *alpha);
  for (std::int64_t i = first_item(); i < count; i += item_step()) y[i] += step * x[i];
}

template <class T>
__global__ void xpby_kernel(const T* x, const double* beta, std::int64_t count, T* y) {
  const T factor = static_cast<T>(*beta);
  for (std::int64_t i = first_item(); i < count; i += item_step()) y[i] = x[i] + factor * y[i];
}

}  // namespace
}  // namespace cuda

template <class T>
void CudaPrimitives<T>::fill(T value, Tensor<T>& dst) {
  const std::int64_t count = dst.numel();
  if (count == 0) return;
  cuda::launch("fill", cuda::fill_kernel<T>, cuda::grid_for(count), cuda::block_threads, context(),
               value, count, dst.data());
}

template <class T>
void CudaPrimitives<T>::copy(const Tensor<T>& src, Tensor<T>& dst) {
  checks::same_shape("copy", src.shape(), dst.shape());
  device_memory(device()).copy_within(dst.data(), src.data(), src.bytes());
}

template <class T>
void CudaPrimitives<T>::map(const Map& f, const Tensor<T>& src, Tensor<T>& dst) {
  checks::same_shape("map", src.shape(), dst.shape());
  const std::int64_t count = src.numel();
  if (count == 0) return;
  cuda::launch("map", cuda::map_kernel<T>, cuda::grid_for(count), cuda::block_threads, context(), f,
               src.data(), count, dst.data());
}

template <class T>
void CudaPrimitives<T>::combine(Combination f, const Tensor<T>& a, const Tensor<T>& b,
                                Tensor<T>& dst) {
  checks::broadcasts_to("combine", a.shape(), b.shape(), dst.shape());
  const std::int64_t count = dst.numel();
  if (count == 0) return;
  const auto loop = cuda::strided_loop<2>(dst.shape(), {broadcast_strides(a.shape(), dst.shape()),
                                                        broadcast_strides(b.shape(), dst.shape())});
  cuda::launch("combine", cuda::combine_kernel<T>, cuda::grid_for(count), cuda::block_threads,
               context(), f, a.data(), b.data(), loop, count, dst.data());
}

template <class T>
void CudaPrimitives<T>::axpy(double factor, const Tensor<double>& alpha, const Tensor<T>& x,
                             Tensor<T>& y) {
  checks::same_shape("axpy", x.shape(), y.shape());
  checks::scalar("axpy", alpha.shape());
  const std::int64_t count = x.numel();
  if (count == 0) return;
  cuda::launch("axpy", cuda::axpy_kernel<T>, cuda::grid_for(count), cuda::block_threads, context(),
               factor, alpha.data(), x.data(), count, y.data());
}

template <class T>
void CudaPrimitives<T>::xpby(const Tensor<T>& x, const Tensor<double>& beta, Tensor<T>& y) {
  checks::same_shape("xpby", x.shape(), y.shape());
  checks::scalar("xpby", beta.shape());
  const std::int64_t count = x.numel();
  if (count == 0) return;
  cuda::launch("xpby", cuda::xpby_kernel<T>, cuda::grid_for(count), cuda::block_threads, context(),
               x.data(), beta.data(), count, y.data());
}

template class CudaPrimitives<float>;
template class CudaPrimitives<double>;

}  // namespace atomtrack
