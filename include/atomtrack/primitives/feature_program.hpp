// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "atomtrack/primitives/geometry.hpp"
#include "atomtrack/tensor/tensor.hpp"

namespace atomtrack {

/// A frozen network as a list of fused steps: what layers lower to and what a backend compiles.
/// Value 0 is the input [N,C,H,W]; step i makes value i + 1.
template <class T>
struct FeatureProgram {
  struct Step {
    enum class Kind { convolution, max_pool } kind = Kind::convolution;
    std::size_t input = 0;  ///< the value it reads
    // convolution: relu(conv2d(input, filter) + bias + residual), batch norm already folded into
    // filter and bias
    Tensor<T> filter;  ///< [Cout,Cin,Kh,Kw]
    Tensor<T> bias;    ///< [Cout]
    Conv2dGeometry geometry;
    bool relu = false;
    bool has_residual = false;
    std::size_t residual = 0;  ///< the value added before the ReLU, of the result's shape
    // max_pool
    Pool2dGeometry pool;
  };

  Shape input;  ///< [C,H,W]
  /// Anything but `full` only where the backend offers it; never for double.
  Precision precision = Precision::full;
  std::vector<Step> steps;
  std::vector<std::size_t>
      outputs;  ///< the values asked for, in the order in which `run` writes them

  /// The shape [C,H,W] of every value, the input first. Throws ShapeError when a step does not fit.
  std::vector<Shape> value_shapes() const;
};

/// A FeatureProgram prepared by a backend. Owns its scratch memory. One thread at a time may call
/// `run`.
template <class T>
class CompiledFeatures {
 public:
  virtual ~CompiledFeatures() = default;
  /// outputs[i] [N,C,H,W] = value program.outputs[i] for `input` [N,C,H,W], any N >= 1: large
  /// batches are split so that scratch memory stays bounded. Overwrites. Throws ShapeError.
  virtual void run(const Tensor<T>& input, std::span<Tensor<T>> outputs) = 0;
};

extern template struct FeatureProgram<float>;
extern template struct FeatureProgram<double>;

}  // namespace atomtrack
