// SPDX-License-Identifier: MIT
#include "atomtrack/layers/module.hpp"

namespace atomtrack {

std::vector<std::string> mismatches(const NamedShapes& expected, const NamedTensors& given) {
  std::vector<std::string> problems;
  for (const auto& [name, shape] : expected) {
    const auto found = given.find(name);
    if (found == given.end()) {
      problems.push_back(concatenate(name, ": missing, expected ", shape));
    } else if (!(found->second.shape() == shape)) {
      problems.push_back(
          concatenate(name, ": shape ", found->second.shape(), ", expected ", shape));
    }
  }
  return problems;
}

}  // namespace atomtrack
