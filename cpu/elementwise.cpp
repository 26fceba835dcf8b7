// SPDX-License-Identifier: MIT
#include <algorithm>
#include <vector>

#include "atomtrack/primitives/checks.hpp"
#include "cpu/cpu_primitives.hpp"
#include "cpu/loops.hpp"
#include "cpu/parallel.hpp"

namespace atomtrack {
namespace {

using cpu::LoopNest;
using cpu::parallel_for;

// The kind is a template argument of the loop, so that `scalar::apply` folds to the one case.
template <MapKind kind, class T>
void map_loop(const Map& f, const T* src, T* dst, std::int64_t count) {
  parallel_for(count, cpu::elementwise_grain, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      dst[i] = scalar::apply(Map{kind, f.a, f.order}, src[i]);
    }
  });
}

template <Combination f, class T>
void combine_loop(const LoopNest& nest, const T* a, const T* b, T* dst) {
  const LoopNest::Axis inner = nest.inner();
  const auto row_loop = [&](const T* from_a, const T* from_b, T* to, std::int64_t begin,
                            std::int64_t end) {
    if (inner.step_a == 1 && inner.step_b == 1) {
      for (std::int64_t i = begin; i < end; ++i) to[i] = scalar::combine(f, from_a[i], from_b[i]);
    } else if (inner.step_a == 1 && inner.step_b == 0) {
      const T value = *from_b;
      for (std::int64_t i = begin; i < end; ++i) to[i] = scalar::combine(f, from_a[i], value);
    } else {
      for (std::int64_t i = begin; i < end; ++i) {
        to[i] = scalar::combine(f, from_a[i * inner.step_a], from_b[i * inner.step_b]);
      }
    }
  };
  if (nest.rows == 1) {
    parallel_for(inner.extent, cpu::elementwise_grain,
                 [&](std::int64_t begin, std::int64_t end) { row_loop(a, b, dst, begin, end); });
    return;
  }
  parallel_for(nest.rows, cpu::elementwise_grain / inner.extent + 1,
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t row = begin; row < end; ++row) {
                   const auto [offset_a, offset_b] = nest.at(row);
                   row_loop(a + offset_a, b + offset_b, dst + row * inner.extent, 0, inner.extent);
                 }
               });
}

// Sums are cut into blocks of a fixed size, added up in order: the result does not depend on the
// number of threads.
constexpr std::int64_t sum_block = 4096;

/// The sum of f(i) over a block in eight interleaved partial sums, which the compiler keeps in
/// vector registers.
template <class F>
double block_sum(std::int64_t begin, std::int64_t end, F f) {
  std::array<double, 8> partial{};
  std::int64_t i = begin;
  for (; i + 8 <= end; i += 8) {
    for (std::int64_t lane = 0; lane < 8; ++lane)
      partial[static_cast<std::size_t>(lane)] += f(i + lane);
  }
  for (; i < end; ++i) partial[0] += f(i);
  return ((partial[0] + partial[1]) + (partial[2] + partial[3])) +
         ((partial[4] + partial[5]) + (partial[6] + partial[7]));
}

template <class F>
double ordered_sum(std::int64_t count, F f) {
  const std::int64_t blocks = (count + sum_block - 1) / sum_block;
  if (blocks <= 1) return block_sum(0, count, f);
  std::vector<double> sums(static_cast<std::size_t>(blocks));
  parallel_for(blocks, cpu::elementwise_grain / sum_block,
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t b = begin; b < end; ++b) {
                   sums[static_cast<std::size_t>(b)] =
                       block_sum(b * sum_block, std::min(count, (b + 1) * sum_block), f);
                 }
               });
  double total = 0.0;
  for (const double sum : sums) total += sum;
  return total;
}

}  // namespace

template <class T>
void CpuPrimitives<T>::fill(T value, Tensor<T>& dst) {
  T* data = dst.data();
  parallel_for(dst.numel(), 4 * cpu::elementwise_grain, [=](std::int64_t begin, std::int64_t end) {
    std::fill(data + begin, data + end, value);
  });
}

template <class T>
void CpuPrimitives<T>::copy(const Tensor<T>& src, Tensor<T>& dst) {
  checks::same_shape("copy", src.shape(), dst.shape());
  const T* from = src.data();
  T* to = dst.data();
  parallel_for(src.numel(), 4 * cpu::elementwise_grain, [=](std::int64_t begin, std::int64_t end) {
    std::copy(from + begin, from + end, to + begin);
  });
}

template <class T>
void CpuPrimitives<T>::map(const Map& f, const Tensor<T>& src, Tensor<T>& dst) {
  checks::same_shape("map", src.shape(), dst.shape());
  const T* from = src.data();
  T* to = dst.data();
  const std::int64_t count = src.numel();
  switch (f.kind) {
    case MapKind::scale:
      return map_loop<MapKind::scale>(f, from, to, count);
    case MapKind::offset:
      return map_loop<MapKind::offset>(f, from, to, count);
    case MapKind::exp:
      return map_loop<MapKind::exp>(f, from, to, count);
    case MapKind::log:
      return map_loop<MapKind::log>(f, from, to, count);
    case MapKind::sqrt:
      return map_loop<MapKind::sqrt>(f, from, to, count);
    case MapKind::square:
      return map_loop<MapKind::square>(f, from, to, count);
    case MapKind::reciprocal:
      return map_loop<MapKind::reciprocal>(f, from, to, count);
    case MapKind::sigmoid:
      return map_loop<MapKind::sigmoid>(f, from, to, count);
    case MapKind::abs:
      return map_loop<MapKind::abs>(f, from, to, count);
    case MapKind::relu:
      return map_loop<MapKind::relu>(f, from, to, count);
    case MapKind::leaky_relu:
      return map_loop<MapKind::leaky_relu>(f, from, to, count);
    case MapKind::elu:
      return map_loop<MapKind::elu>(f, from, to, count);
    case MapKind::pelu:
      return map_loop<MapKind::pelu>(f, from, to, count);
  }
}

template <class T>
void CpuPrimitives<T>::combine(Combination f, const Tensor<T>& a, const Tensor<T>& b,
                               Tensor<T>& dst) {
  checks::broadcasts_to("combine", a.shape(), b.shape(), dst.shape());
  if (dst.numel() == 0) return;
  const LoopNest nest(dst.shape(), broadcast_strides(a.shape(), dst.shape()),
                      broadcast_strides(b.shape(), dst.shape()));
  const T* from_a = a.data();
  const T* from_b = b.data();
  T* to = dst.data();
  switch (f) {
    case Combination::add:
      return combine_loop<Combination::add>(nest, from_a, from_b, to);
    case Combination::subtract:
      return combine_loop<Combination::subtract>(nest, from_a, from_b, to);
    case Combination::multiply:
      return combine_loop<Combination::multiply>(nest, from_a, from_b, to);
    case Combination::divide:
      return combine_loop<Combination::divide>(nest, from_a, from_b, to);
    case Combination::divide_or_zero:
      return combine_loop<Combination::divide_or_zero>(nest, from_a, from_b, to);
    case Combination::maximum:
      return combine_loop<Combination::maximum>(nest, from_a, from_b, to);
  }
}

template <class T>
void CpuPrimitives<T>::reduce_sum(const Tensor<T>& src, Write write, Tensor<T>& dst) {
  checks::reduces_to(src.shape(), dst.shape());
  if (write == Write::overwrite) fill(T{0}, dst);
  if (src.numel() == 0) return;
  const T* from = src.data();
  T* to = dst.data();
  if (dst.numel() == 1) {
    to[0] += static_cast<T>(
        ordered_sum(src.numel(), [=](std::int64_t i) { return static_cast<double>(from[i]); }));
    return;
  }
  const LoopNest nest(src.shape(), dense_strides(src.shape()),
                      broadcast_strides(dst.shape(), src.shape()));
  const LoopNest::Axis inner = nest.inner();
  if (inner.step_b == 0) {
    // Rows are summed in parallel and then added in their order.
    std::vector<T> sums(static_cast<std::size_t>(nest.rows));
    parallel_for(
        nest.rows, cpu::elementwise_grain / inner.extent + 1,
        [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t row = begin; row < end; ++row) {
            const T* source = from + row * inner.extent;
            sums[static_cast<std::size_t>(row)] = static_cast<T>(block_sum(
                0, inner.extent, [=](std::int64_t i) { return static_cast<double>(source[i]); }));
          }
        });
    for (std::int64_t row = 0; row < nest.rows; ++row)
      to[nest.at(row)[1]] += sums[static_cast<std::size_t>(row)];
    return;
  }
  for (std::int64_t row = 0; row < nest.rows; ++row) {
    const T* source = from + row * inner.extent;
    T* target = to + nest.at(row)[1];
    for (std::int64_t i = 0; i < inner.extent; ++i) target[i * inner.step_b] += source[i];
  }
}

template <class T>
void CpuPrimitives<T>::dot(const Tensor<T>& x, const Tensor<T>& y, Write write,
                           Tensor<double>& result) {
  checks::same_shape("dot", x.shape(), y.shape());
  checks::scalar("dot", result.shape());
  const T* a = x.data();
  const T* b = y.data();
  const double sum = ordered_sum(x.numel(), [=](std::int64_t i) {
    return static_cast<double>(a[i]) * static_cast<double>(b[i]);
  });
  double& to = result.data()[0];
  to = write == Write::accumulate ? to + sum : sum;
}

template <class T>
void CpuPrimitives<T>::axpy(double factor, const Tensor<double>& alpha, const Tensor<T>& x,
                            Tensor<T>& y) {
  checks::same_shape("axpy", x.shape(), y.shape());
  checks::scalar("axpy", alpha.shape());
  const T step = static_cast<T>(factor * alpha.data()[0]);
  const T* from = x.data();
  T* to = y.data();
  parallel_for(x.numel(), cpu::elementwise_grain, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) to[i] += step * from[i];
  });
}

template <class T>
void CpuPrimitives<T>::xpby(const Tensor<T>& x, const Tensor<double>& beta, Tensor<T>& y) {
  checks::same_shape("xpby", x.shape(), y.shape());
  checks::scalar("xpby", beta.shape());
  const T factor = static_cast<T>(beta.data()[0]);
  const T* from = x.data();
  T* to = y.data();
  parallel_for(x.numel(), cpu::elementwise_grain, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) to[i] = from[i] + factor * to[i];
  });
}

template class CpuPrimitives<float>;
template class CpuPrimitives<double>;

}  // namespace atomtrack
