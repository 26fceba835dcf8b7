// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "atomtrack/tensor/tensor.hpp"

namespace atomtrack {

struct AdamOptions {
  double rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
};

/// Adam (Kingma and Ba, 2014, algorithm 1): m = b1 m + (1-b1) g, v = b2 v + (1-b2) g^2,
/// w -= rate * (m / (1-b1^t)) / (sqrt(v / (1-b2^t)) + epsilon).
template <class T>
class Adam {
 public:
  explicit Adam(const AdamOptions& options = {}) : options_(options) {}

  /// One step on each parameter, in place. Call with the same parameters, in the same order, every
  /// time. Throws ShapeError otherwise.
  void step(std::span<Tensor<T>> parameters, std::span<const Tensor<T>> gradients);
  void set_rate(double rate) { options_.rate = rate; }
  double rate() const { return options_.rate; }

  /// Everything that a continued run needs besides the parameters.
  struct State {
    std::int64_t steps = 0;
    std::vector<Tensor<T>> first;   ///< m
    std::vector<Tensor<T>> second;  ///< v
  };
  const State& state() const { return state_; }
  void restore(State state) { state_ = std::move(state); }

 private:
  AdamOptions options_;
  State state_;
};

extern template class Adam<float>;
extern template class Adam<double>;

}  // namespace atomtrack
