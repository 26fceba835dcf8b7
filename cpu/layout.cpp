// SPDX-License-Identifier: MIT
#include <algorithm>

#include "atomtrack/primitives/checks.hpp"
#include "atomtrack/primitives/strides.hpp"
#include "cpu/cpu_primitives.hpp"
#include "cpu/loops.hpp"
#include "cpu/parallel.hpp"

namespace atomtrack {
namespace {

using cpu::LoopNest;
using cpu::parallel_for;

std::int64_t flat(const Shape& position, const Strides& strides) {
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < position.rank(); ++i) offset += position.begin()[i] * strides[i];
  return offset;
}

/// Whether one row at a time may be copied with unit steps.
bool unit_steps(const LoopNest::Axis& axis) {
  return axis.step_a == 1 && axis.step_b == 1;
}

}  // namespace

template <class T>
void CpuPrimitives<T>::copy_block(const Tensor<T>& src, const Shape& src_start, Write write,
                                  Tensor<T>& dst, const Shape& dst_start, const Shape& extent) {
  checks::block(src.shape(), src_start, dst.shape(), dst_start, extent);
  if (extent.numel() == 0) return;
  const Strides from = dense_strides(src.shape());
  const Strides to = dense_strides(dst.shape());
  const LoopNest nest(extent, from, to);
  const LoopNest::Axis inner = nest.inner();
  const T* source = src.data() + flat(src_start, from);
  T* target = dst.data() + flat(dst_start, to);
  parallel_for(nest.rows, cpu::elementwise_grain / inner.extent + 1,
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t row = begin; row < end; ++row) {
                   const auto [read, written] = nest.at(row);
                   if (write == Write::overwrite && unit_steps(inner)) {
                     std::copy_n(source + read, inner.extent, target + written);
                     continue;
                   }
                   for (std::int64_t i = 0; i < inner.extent; ++i) {
                     T& element = target[written + i * inner.step_b];
                     const T value = source[read + i * inner.step_a];
                     element = write == Write::accumulate ? element + value : value;
                   }
                 }
               });
}

template <class T>
void CpuPrimitives<T>::permute(const Tensor<T>& src, std::span<const int> order, Tensor<T>& dst) {
  checks::permutation(src.shape(), order, dst.shape());
  if (src.numel() == 0) return;
  const Strides dense = dense_strides(src.shape());
  Strides permuted{};
  for (std::size_t i = 0; i < order.size(); ++i)
    permuted[i] = dense[static_cast<std::size_t>(order[i])];
  const LoopNest nest(dst.shape(), permuted, dense_strides(dst.shape()));
  const LoopNest::Axis inner = nest.inner();
  const T* from = src.data();
  T* to = dst.data();
  parallel_for(nest.rows, cpu::elementwise_grain / inner.extent + 1,
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t row = begin; row < end; ++row) {
                   const T* source = from + nest.at(row)[0];
                   for (std::int64_t i = 0; i < inner.extent; ++i)
                     to[row * inner.extent + i] = source[i * inner.step_a];
                 }
               });
}

template <class T>
void CpuPrimitives<T>::gather(const Tensor<T>& src, const Tensor<std::int32_t>& indices,
                              Tensor<T>& dst) {
  checks::same_shape("gather", indices.shape(), dst.shape());
  const T* from = src.data();
  const std::int32_t* index = indices.data();
  T* to = dst.data();
  parallel_for(dst.numel(), cpu::elementwise_grain, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) to[i] = from[index[i]];
  });
}

// One thread: indices may repeat, and the order of their sums is kept.
template <class T>
void CpuPrimitives<T>::scatter_add(const Tensor<T>& src, const Tensor<std::int32_t>& indices,
                                   Write write, Tensor<T>& dst) {
  checks::same_shape("scatter_add", indices.shape(), src.shape());
  if (write == Write::overwrite) this->fill(T{0}, dst);
  const T* from = src.data();
  const std::int32_t* index = indices.data();
  T* to = dst.data();
  for (std::int64_t i = 0; i < src.numel(); ++i) to[index[i]] += from[i];
}

template class CpuPrimitives<float>;
template class CpuPrimitives<double>;

}  // namespace atomtrack
