// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "atomtrack/tensor/device.hpp"

namespace atomtrack {

/// What computes behind `device`, for reports: the processor's name, or the GPU's with its compute
/// capability and memory and the versions of driver, CUDA and cuDNN. Throws DeviceError when this
/// build has no backend for the device or the device is absent. Thread-safe.
std::string hardware(Device device);

}  // namespace atomtrack
