// SPDX-License-Identifier: MIT
#include "atomtrack/primitives/precision.hpp"

#include <array>
#include <string_view>
#include <utility>

#include "atomtrack/tensor/error.hpp"

namespace atomtrack {
namespace {

constexpr std::array<std::pair<std::string_view, Precision>, 4> precisions{
    {{"full", Precision::full},
     {"tf32", Precision::tf32},
     {"half", Precision::half},
     {"bfloat16", Precision::bfloat16}}};

}  // namespace

std::vector<std::string> precision_names() {
  std::vector<std::string> names;
  for (const auto& [name, value] : precisions) names.emplace_back(name);
  return names;
}

Precision parse_precision(const std::string& name) {
  for (const auto& [known, value] : precisions) {
    if (name == known) return value;
  }
  throw InputError(concatenate("precision '", name, "': expected full, tf32, half or bfloat16"));
}

}  // namespace atomtrack
