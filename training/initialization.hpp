// SPDX-License-Identifier: MIT
#pragma once

#include "atomtrack/layers/module.hpp"

namespace atomtrack {

/// Where training starts: filters normal with variance 2 / fan-in (He et al., 2015), biases 0,
/// batch norm's weights uniform in [0, 1), its statistics those of doing nothing. By name, so that
/// the order of the members does not matter.
NamedTensors initial_weights(const NamedShapes& shapes, std::uint64_t seed);

}  // namespace atomtrack
