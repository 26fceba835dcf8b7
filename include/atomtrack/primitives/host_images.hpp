// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "atomtrack/primitives/geometry.hpp"
#include "atomtrack/tensor/tensor.hpp"

namespace atomtrack::host {

// What the two host backends share: loops that nothing would make faster or clearer. Contracts as
// in Primitives.

void unpack_pixels(const PixelRows& frame, std::int64_t top, std::int64_t left, std::int64_t step,
                   Tensor<std::uint8_t>& pixels);

template <class T>
void two_peaks(const Tensor<T>& maps, const Tensor<double>& sizes, Tensor<T>& peaks);

extern template void two_peaks(const Tensor<float>&, const Tensor<double>&, Tensor<float>&);
extern template void two_peaks(const Tensor<double>&, const Tensor<double>&, Tensor<double>&);

}  // namespace atomtrack::host
