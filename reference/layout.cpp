// SPDX-License-Identifier: MIT
#include <array>

#include "atomtrack/primitives/checks.hpp"
#include "atomtrack/primitives/strides.hpp"
#include "reference/reference_primitives.hpp"

namespace atomtrack {
namespace {

std::int64_t flat(const Shape& position, const Strides& strides) {
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < position.rank(); ++i) offset += position.begin()[i] * strides[i];
  return offset;
}

}  // namespace

template <class T>
void ReferencePrimitives<T>::copy_block(const Tensor<T>& src, const Shape& src_start, Write write,
                                        Tensor<T>& dst, const Shape& dst_start,
                                        const Shape& extent) {
  checks::block(src.shape(), src_start, dst.shape(), dst_start, extent);
  const Strides from = dense_strides(src.shape());
  const Strides to = dense_strides(dst.shape());
  const T* source = src.data() + flat(src_start, from);
  T* target = dst.data() + flat(dst_start, to);
  Odometer<2> at(extent, {from, to});
  for (std::int64_t i = 0; i < extent.numel(); ++i, at.advance()) {
    T& element = target[at.offset(1)];
    const T value = source[at.offset(0)];
    element = write == Write::accumulate ? element + value : value;
  }
}

template <class T>
void ReferencePrimitives<T>::permute(const Tensor<T>& src, std::span<const int> order,
                                     Tensor<T>& dst) {
  checks::permutation(src.shape(), order, dst.shape());
  const Strides dense = dense_strides(src.shape());
  Strides permuted{};
  for (std::size_t i = 0; i < order.size(); ++i)
    permuted[i] = dense[static_cast<std::size_t>(order[i])];
  Odometer<1> at(dst.shape(), {permuted});
  for (std::int64_t i = 0; i < dst.numel(); ++i, at.advance())
    dst.data()[i] = src.data()[at.offset(0)];
}

template <class T>
void ReferencePrimitives<T>::gather(const Tensor<T>& src, const Tensor<std::int32_t>& indices,
                                    Tensor<T>& dst) {
  checks::same_shape("gather", indices.shape(), dst.shape());
  for (std::int64_t i = 0; i < dst.numel(); ++i) dst.data()[i] = src.data()[indices.data()[i]];
}

template <class T>
void ReferencePrimitives<T>::scatter_add(const Tensor<T>& src, const Tensor<std::int32_t>& indices,
                                         Write write, Tensor<T>& dst) {
  checks::same_shape("scatter_add", indices.shape(), src.shape());
  if (write == Write::overwrite) this->fill(T{0}, dst);
  for (std::int64_t i = 0; i < src.numel(); ++i) dst.data()[indices.data()[i]] += src.data()[i];
}

template <class T>
void ReferencePrimitives<T>::gemm(bool transpose_a, bool transpose_b, const Tensor<T>& a,
                                  const Tensor<T>& b, Write write, Tensor<T>& c) {
  const std::int64_t inner =
      checks::gemm(transpose_a, transpose_b, a.shape(), b.shape(), c.shape());
  const std::int64_t rows = c.extent(0);
  const std::int64_t columns = c.extent(1);
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) {
      T sum = write == Write::accumulate ? c.data()[i * columns + j] : T{0};
      for (std::int64_t k = 0; k < inner; ++k) {
        sum += a.data()[transpose_a ? k * rows + i : i * inner + k] *
               b.data()[transpose_b ? j * inner + k : k * columns + j];
      }
      c.data()[i * columns + j] = sum;
    }
  }
}

template class ReferencePrimitives<float>;
template class ReferencePrimitives<double>;

}  // namespace atomtrack
