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

void require_fit(const NamedShapes& expected, const NamedTensors& given) {
  const std::vector<std::string> problems = mismatches(expected, given);
  if (problems.empty()) return;
  std::string message =
      concatenate("the weights do not fit the network, ", problems.size(),
                  problems.size() == 1 ? " problem: " : " problems: ", problems.front());
  for (std::size_t i = 1; i < problems.size(); ++i) message += "; " + problems[i];
  throw WeightsError(message);
}

}  // namespace atomtrack
