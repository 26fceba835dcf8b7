// SPDX-License-Identifier: MIT
#include "atomtrack/tensor/tensor.hpp"

namespace atomtrack {

template class Tensor<float>;
template class Tensor<double>;
template class Tensor<std::int32_t>;
template class Tensor<std::uint8_t>;

}  // namespace atomtrack
