// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "atomtrack/tensor/device.hpp"

namespace atomtrack {
inline namespace v1 {

/// The network's weights on a device: immutable, cheap to copy (copies share), and shared by any
/// number of trackers in any number of threads.
class Model {
 public:
  /// Reads a weights file. Throws WeightsError (missing, damaged, or not this network: all
  /// mismatches are listed at once) or DeviceError.
  static Model load(const std::string& path, Device device = Device::cpu());
  /// Random weights of the right shapes, for tests and timing. The same seed gives the same
  /// weights.
  static Model generated(std::uint64_t seed = 0, Device device = Device::cpu());

  Device device() const;
  /// Whether the file carries an IoU predictor; without one only `Estimation::multi_scale` can
  /// track.
  bool has_iou_predictor() const;

  struct Implementation;
  const Implementation& implementation() const { return *implementation_; }

 private:
  explicit Model(std::shared_ptr<const Implementation> implementation);
  std::shared_ptr<const Implementation> implementation_;
};

}  // namespace v1
}  // namespace atomtrack
