// SPDX-License-Identifier: MIT
#pragma once

#include "atomtrack/primitives/geometry.hpp"
#include "atomtrack/tensor/device.hpp"

namespace atomtrack::test {

/// Whether `device` has to offer convolutions of floats in this precision.
bool offers(Device device, Precision precision);

}  // namespace atomtrack::test
