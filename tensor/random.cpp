// SPDX-License-Identifier: MIT
#include "atomtrack/tensor/random.hpp"

#include <cmath>
#include <numbers>

#include "atomtrack/tensor/error.hpp"

namespace atomtrack {

RandomSource::RandomSource(std::uint64_t seed) {
  state_.counter = seed;
}

// splitmix64 (Steele, Lea and Flood, 2014): a counter and a finaliser that passes the usual test
// batteries.
std::uint64_t RandomSource::bits() {
  std::uint64_t z = (state_.counter += 0x9E3779B97F4A7C15U);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31);
}

double RandomSource::uniform() {
  double value = 0.0;
  if (take_recorded(value)) return value;
  return static_cast<double>(bits() >> 11) * 0x1.0p-53;
}

double RandomSource::uniform(double low, double high) {
  double value = 0.0;
  if (take_recorded(value)) return value;
  return low + (high - low) * uniform();
}

double RandomSource::normal(double mean, double deviation) {
  double value = 0.0;
  if (take_recorded(value)) return value;
  if (state_.has_spare_normal) {
    state_.has_spare_normal = false;
    return mean + deviation * state_.spare_normal;
  }
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));  // 1 - u lies in (0, 1]
  const double angle = 2.0 * std::numbers::pi * uniform();
  state_.spare_normal = radius * std::sin(angle);
  state_.has_spare_normal = true;
  return mean + deviation * radius * std::cos(angle);
}

std::int64_t RandomSource::below(std::int64_t count) {
  require<InputError>(count > 0, "a random index below ", count, ": expected a positive count");
  double value = 0.0;
  if (take_recorded(value)) return static_cast<std::int64_t>(value);
  return static_cast<std::int64_t>(uniform() * static_cast<double>(count));
}

void RandomSource::replay(std::span<const double> values) {
  recorded_.insert(recorded_.end(), values.begin(), values.end());
}

void RandomSource::replay(std::span<const float> values) {
  recorded_.insert(recorded_.end(), values.begin(), values.end());
}

bool RandomSource::take_recorded(double& value) {
  if (recorded_.empty()) return false;
  value = recorded_.front();
  recorded_.pop_front();
  return true;
}

}  // namespace atomtrack
