// SPDX-License-Identifier: MIT
#include "atomtrack/primitives/hardware.hpp"

#include <fstream>

#include "atomtrack/primitives/backends.hpp"

namespace atomtrack {
namespace {

std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown processor";
}

}  // namespace

std::string hardware(Device device) {
  if (device.is_host()) return processor();
#ifdef ATOMTRACK_WITH_CUDA
  return cuda_hardware(device.index);
#else
  throw DeviceError(
      concatenate("device ", device, ": this build of atomtrack has no CUDA backend"));
#endif
}

}  // namespace atomtrack
