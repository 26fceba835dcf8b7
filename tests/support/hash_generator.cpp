// SPDX-License-Identifier: MIT
#include "support/hash_generator.hpp"

#include <cmath>

namespace atomtrack::test {
namespace {

Tensor<float> uniform(const std::string& name, const Shape& shape, double low, double high) {
  Tensor<float> result(shape);
  const std::vector<double> numbers = hashed_uniform(name, shape.numel());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    result.data()[i] = static_cast<float>(low + (high - low) * numbers[i]);
  }
  return result;
}

}  // namespace

std::vector<double> hashed_uniform(const std::string& name, std::int64_t count) {
  std::uint64_t seed = 0xcbf29ce484222325U;
  for (const char character : name) {
    seed = (seed ^ static_cast<unsigned char>(character)) * 0x100000001b3U;
  }
  std::vector<double> numbers;
  for (std::int64_t i = 1; i <= count; ++i) {
    std::uint64_t z = seed + static_cast<std::uint64_t>(i) * 0x9E3779B97F4A7C15U;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    z ^= z >> 31;
    numbers.push_back(static_cast<double>(z >> 40) * 0x1.0p-24);
  }
  return numbers;
}

Tensor<float> hashed_parameter(const std::string& name, const Shape& shape) {
  const std::string leaf = name.substr(name.rfind('.') + 1);
  if (leaf == "running_mean") return uniform(name, shape, -0.1, 0.1);
  if (leaf == "running_var") return uniform(name, shape, 0.75, 1.25);
  if (shape.rank() >= 2) {
    const double fan_in = static_cast<double>(shape.drop(0).numel());
    const double bound = std::sqrt(6.0 / fan_in);
    return uniform(name, shape, -bound, bound);
  }
  if (leaf == "weight") return uniform(name, shape, 0.5, 1.0);
  return uniform(name, shape, -0.1, 0.1);
}

}  // namespace atomtrack::test
