// SPDX-License-Identifier: MIT
#pragma once

#include <ostream>
#include <string_view>

namespace atomtrack {

/// Where a tensor lives and which backend computes on it. `reference` shares the host's memory with
/// `cpu` and runs the plain loops that judge the other backends.
enum class DeviceType { cpu, reference, cuda };

struct Device {
  DeviceType type = DeviceType::cpu;
  int index = 0;  ///< which GPU; 0 on the host

  static Device cpu() { return {}; }
  static Device reference() { return {DeviceType::reference, 0}; }
  static Device cuda(int index = 0) { return {DeviceType::cuda, index}; }

  /// Whether host code may read and write the memory directly.
  bool is_host() const { return type != DeviceType::cuda; }

  friend bool operator==(const Device&, const Device&) = default;
};

/// "cpu", "reference", "cuda" or "cuda:1". Throws InputError for anything else.
Device parse_device(std::string_view text);
std::ostream& operator<<(std::ostream& out, const Device& device);

}  // namespace atomtrack
