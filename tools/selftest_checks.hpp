// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "atomtrack/tensor/device.hpp"

namespace atomtrack::tools {

/// One thing that was compared, and by how much it was off.
struct Comparison {
  std::string name;
  double error = 0.0;    ///< the largest difference, in units of the largest magnitude expected
  double allowed = 0.0;  ///< so much may be
  bool passed() const { return error <= allowed; }  // a NaN does not pass
};

/// Every primitive of `device` in float against the `reference` backend in double, on sizes like
/// the tracker's, and twice for its own bits.
std::vector<Comparison> compare_primitives(Device device);

/// Back-propagated derivatives on `device` in double against central differences, along random
/// directions: both layers of the classifier, PrRoIPool in features and boxes, and a gradient of
/// a gradient, on which Algorithm 1's J^T J p rests.
std::vector<Comparison> compare_gradients(Device device);

}  // namespace atomtrack::tools
