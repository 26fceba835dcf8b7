// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "atomtrack/tensor/tensor.hpp"
#include "atomtrack/tracker/options.hpp"

namespace atomtrack {

/// The importance gamma_j of every remembered sample (equation 3) and which one gives way to the
/// next: the weights of older samples decay by the learning rate, and the first frame's keep a
/// minimum share together (the released tracker's rule).
class SampleWeights {
 public:
  /// `initial` slots of equal weight out of `slots`, the others empty (weight 0). `minimum` is the
  /// least total weight of the initial ones; 0 lets them be replaced like any other. Throws
  /// InputError unless 1 <= initial < slots and minimum is in [0, 1].
  SampleWeights(int slots, int initial, double minimum);

  /// Makes room for a sample that is learned at `rate` in [0, 1): returns the slot to write. The
  /// weights then sum to 1, but for the little that raising the initial ones to the minimum adds.
  int add(double rate);
  const std::vector<float>& weights() const { return weights_; }

 private:
  std::vector<float> weights_;
  int initial_;
  double minimum_;
  int previous_ = -1;  // the slot written last
};

/// What the classifier has been shown: projected samples [slots,D,F,F], labels [slots,1,F,F] and
/// weights [slots]. Empty slots hold zeros and weigh nothing, so that every update runs over all of
/// them at fixed addresses.
class SampleMemory {
 public:
  /// Starts from the first frame's samples [M,D,F,F] and labels [M,1,F,F], M <
  /// options.memory_size. Throws InputError.
  SampleMemory(const Tensor<float>& samples, const Tensor<float>& labels, const Options& options);

  /// A copy of its own on `device`.
  SampleMemory on(Device device) const;

  /// Remembers one sample [1,D,F,F] with its label [1,1,F,F].
  void add(const Tensor<float>& sample, const Tensor<float>& label, double rate);

  const Tensor<float>& samples() const { return samples_; }
  const Tensor<float>& labels() const { return labels_; }
  const Tensor<float>& weights() const { return weights_; }

 private:
  Tensor<float> samples_, labels_, weights_;
  SampleWeights rule_;
};

}  // namespace atomtrack
