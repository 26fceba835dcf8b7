// SPDX-License-Identifier: MIT
#include "atomtrack/tensor/device.hpp"

#include <charconv>

#include "atomtrack/tensor/error.hpp"

namespace atomtrack {

Device parse_device(std::string_view text) {
  if (text == "cpu") return Device::cpu();
  if (text == "reference") return Device::reference();
  if (text == "cuda") return Device::cuda();
  constexpr std::string_view prefix = "cuda:";
  if (text.starts_with(prefix)) {
    const std::string_view digits = text.substr(prefix.size());
    int index = -1;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
    if (error == std::errc{} && end == digits.data() + digits.size() && index >= 0) {
      return Device::cuda(index);
    }
  }
  throw InputError(concatenate("device '", text, "': expected cpu, reference, cuda or cuda:INDEX"));
}

std::ostream& operator<<(std::ostream& out, const Device& device) {
  switch (device.type) {
    case DeviceType::cpu:
      return out << "cpu";
    case DeviceType::reference:
      return out << "reference";
    case DeviceType::cuda:
      return out << "cuda:" << device.index;
  }
  return out;
}

}  // namespace atomtrack
