// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "atomtrack/tensor/named_tensors.hpp"

namespace atomtrack::test {

/// Numbers in [0, 1) that depend on a name alone: splitmix64 seeded by the name's FNV-1a hash.
std::vector<double> hashed_uniform(const std::string& name, std::int64_t count);
/// A network parameter from its name: the weights that the goldens were made with.
Tensor<float> hashed_parameter(const std::string& name, const Shape& shape);

}  // namespace atomtrack::test
