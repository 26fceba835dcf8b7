// SPDX-License-Identifier: MIT
#include "training/initialization.hpp"

#include <cmath>

#include "atomtrack/tensor/random.hpp"

namespace atomtrack {

NamedTensors initial_weights(const NamedShapes& shapes, std::uint64_t seed) {
  RandomSource random(seed);
  NamedTensors tensors;
  for (const auto& [name, shape] : shapes) {
    Tensor<float> tensor = Tensor<float>::zeros(shape);
    if (shape.rank() >= 2) {
      const double deviation = std::sqrt(2.0 / static_cast<double>(shape.drop(0).numel()));
      for (float& value : tensor.span()) value = static_cast<float>(random.normal(0.0, deviation));
    } else if (name.ends_with("weight")) {
      for (float& value : tensor.span()) value = static_cast<float>(random.uniform());
    } else if (name.ends_with("running_var")) {
      for (float& value : tensor.span()) value = 1.0F;
    }
    tensors.emplace(name, tensor);
  }
  return tensors;
}

}  // namespace atomtrack
