// SPDX-License-Identifier: MIT
#pragma once

#include <map>

#include "atomtrack/optimization/gauss_newton.hpp"
#include "atomtrack/optimization/gradient_descent.hpp"
#include "atomtrack/tensor/random.hpp"
#include "atomtrack/tensor/recording.hpp"
#include "atomtrack/tensor/tensor.hpp"
#include "atomtrack/tracker/options.hpp"
#include "atomtrack/tracker/sample_memory.hpp"

namespace atomtrack {

/// The optimisation problem of the first frame (equation 3) and how the options solve it.
struct FirstFrameProblem {
  ResidualFunction<float> residuals;  ///< in w = (w_2, w_1)
  std::vector<Tensor<float>> w;       ///< where it starts
  GaussNewtonOptions algorithm1;
  GradientDescentOptions gradient_descent;  ///< as many BackProp calls, times the factor of GD++
};

/// For the first frame's samples [M,C,F,F], power-normalised, with labels [M,1,F,F], all of equal
/// weight. Draws w_1 and w_2 from `random`.
FirstFrameProblem first_frame_problem(const Tensor<float>& features, const Tensor<float>& labels,
                                      const Options& options, RandomSource& random);

/// Target classification by fast online learning (section 3.2): the network f(x; w) = phi_2(w_2 *
/// (w_1 * x)) of equation (2), the samples it remembers, and Algorithm 1 run on both. Not
/// thread-safe.
///
/// F is the side of the feature map (18 for a crop of 288), C its channels (256), D =
/// Options::projection_channels.
class OnlineClassifier {
 public:
  /// Learns w_1 and w_2 jointly from the first frame's samples, of equal weight; w_1 is then
  /// frozen, and the samples are remembered, projected. `features` [M,C,F,F] power-normalised,
  /// `labels` [M,1,F,F]. Draws w_1 and w_2 from `random`.
  OnlineClassifier(const Tensor<float>& features, const Tensor<float>& labels,
                   const Options& options, RandomSource& random);

  /// A copy of its own on `device`, from which it goes on alike.
  OnlineClassifier on(Device device) const;

  /// w_1 * x: [N,C,F,F] -> [N,D,F,F].
  Tensor<float> project(const Tensor<float>& features) const;
  /// w_2 * x for projected features: [N,D,F,F] -> [N,1,F,F]. Without phi_2, which only the loss
  /// knows.
  Tensor<float> scores(const Tensor<float>& projected) const;

  /// Adds a sample with its label, [1,D,F,F] and [1,1,F,F], in place of the one that weighs least.
  void remember(const Tensor<float>& projected, const Tensor<float>& label, bool hard_negative);
  /// One Gauss-Newton step of `n_cg` Conjugate Gradient iterations on w_2 over everything
  /// remembered (or, if the options say so, gradient descent of the same budget).
  void update(int n_cg);

  const Tensor<float>& filter() const { return filter_; }          ///< w_2 [1,D,k,k]
  const Tensor<float>& projection() const { return projection_; }  ///< w_1 [D,C,1,1]
  const SampleMemory& memory() const { return memory_; }

 private:
  struct Weights {
    Tensor<float> filter, projection;
  };
  static Weights learn(const Tensor<float>& features, const Tensor<float>& labels,
                       const Options& options, RandomSource& random);
  OnlineClassifier(const Weights& learned, const Tensor<float>& features,
                   const Tensor<float>& labels, const Options& options);

  Options options_;
  Tensor<float> projection_;
  Tensor<float> filter_;
  SampleMemory memory_;
  std::map<int, Recording> updates_;  // by n_cg
};

}  // namespace atomtrack
