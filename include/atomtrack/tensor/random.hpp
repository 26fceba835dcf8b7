// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <deque>
#include <span>

namespace atomtrack {

/// A seeded source of random numbers with transforms of our own, so that a seed gives the same
/// numbers with every compiler and standard library. It is passed by hand; there is no global one.
/// Not thread-safe: one per thread.
///
/// `replay` makes the next draws return recorded values instead (whatever transform is asked for,
/// the recorded value is returned as it is): a run of another implementation can then be repeated
/// draw by draw.
class RandomSource {
 public:
  explicit RandomSource(std::uint64_t seed = 0);

  /// 64 random bits. Never replayed.
  std::uint64_t bits();
  /// Uniform in [0, 1).
  double uniform();
  /// Uniform in [low, high).
  double uniform(double low, double high);
  /// Normal by the Box-Muller transform.
  double normal(double mean = 0.0, double deviation = 1.0);
  /// Uniform in 0 .. count-1. Throws InputError unless count > 0.
  std::int64_t below(std::int64_t count);

  /// Queues values that the next draws return.
  void replay(std::span<const double> values);
  void replay(std::span<const float> values);
  /// How many queued values have not been drawn yet.
  std::size_t replay_remaining() const { return recorded_.size(); }

  /// The generator's complete state, so that a run can be continued bit for bit.
  struct State {
    std::uint64_t counter = 0;
    double spare_normal = 0.0;
    bool has_spare_normal = false;
  };
  State state() const { return state_; }
  void restore(const State& state) { state_ = state; }

 private:
  bool take_recorded(double& value);

  State state_;
  std::deque<double> recorded_;
};

}  // namespace atomtrack
