// SPDX-License-Identifier: MIT
#include "support/precisions.hpp"

#include <fstream>
#include <iterator>
#include <string>

namespace atomtrack::test {

bool offers(Device device, Precision precision) {
  if (precision == Precision::full) return true;
  if (precision != Precision::bfloat16) return !device.is_host();
#ifdef ATOMTRACK_WITH_ONEDNN
  std::ifstream cpu("/proc/cpuinfo");
  const std::string flags((std::istreambuf_iterator<char>(cpu)), {});
  return device == Device::cpu() && flags.find("avx512_bf16") != std::string::npos;
#else
  return false;
#endif
}

}  // namespace atomtrack::test
