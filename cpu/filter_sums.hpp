// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include "atomtrack/tensor/tensor.hpp"
#include "cpu/parallel.hpp"

namespace atomtrack::cpu {

/// Sums a filter gradient over images in parallel: f(begin, end, partial) adds the images begin ..
/// end-1 to `partial` (gw's shape). The first piece adds to gw itself, the others to sums of their
/// own that are added in order.
template <class T, class F>
void sum_over_images(std::int64_t images, std::int64_t grain, Write write, Tensor<T>& gw, F f) {
  const std::int64_t size = gw.numel();
  if (write == Write::overwrite) std::fill_n(gw.data(), size, T{0});
  const std::int64_t n = pieces(images, grain);
  Tensor<T> others = Tensor<T>::zeros(Shape{n - 1, size});
  parallel_pieces(images, grain, [&](std::int64_t piece, std::int64_t begin, std::int64_t end) {
    f(piece, begin, end, piece == 0 ? gw.data() : others.data() + (piece - 1) * size);
  });
  for (std::int64_t piece = 0; piece + 1 < n; ++piece) {
    const T* partial = others.data() + piece * size;
    for (std::int64_t i = 0; i < size; ++i) gw.data()[i] += partial[i];
  }
}

}  // namespace atomtrack::cpu
