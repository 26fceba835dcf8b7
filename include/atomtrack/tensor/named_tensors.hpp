// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <string>

#include "atomtrack/tensor/tensor.hpp"

namespace atomtrack {

/// The parameters and buffers of a network by name, on the host, as a weights file stores them.
using NamedTensors = std::map<std::string, Tensor<float>>;

}  // namespace atomtrack
