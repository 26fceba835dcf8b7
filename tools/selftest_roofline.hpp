// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "atomtrack/tensor/device.hpp"

namespace atomtrack::tools {

/// The ceilings of a device, measured.
struct Roofline {
  double operations = 0.0;  ///< of a large matrix product in float, per second
  double bytes = 0.0;       ///< read and written by a copy within the device, per second
};

/// The best of several runs, each of at least a few milliseconds.
Roofline measure_roofline(Device device);

/// What a stage of the tracker has to do, for crops of 288 pixels and the released settings
/// (docs/benchmarks.md counts it).
struct StageWork {
  std::string stage;
  double operations = 0.0, bytes = 0.0;

  /// Milliseconds below which the device cannot do it.
  double floor(const Roofline& roofline) const;
};

std::vector<StageWork> stage_work();

}  // namespace atomtrack::tools
