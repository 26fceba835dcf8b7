// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include "atomtrack/autodiff/operations.hpp"
#include "atomtrack/layers/module.hpp"

namespace atomtrack {

/// conv2d with an optional bias: [N,Cin,H,W] -> [N,Cout,Ho,Wo].
template <class T>
struct Conv2d {
  Conv2d() = default;
  Conv2d(std::int64_t inputs, std::int64_t outputs, std::int64_t kernel, Conv2dGeometry where,
         bool with_bias)
      : weight(Tensor<T>::zeros(Shape{outputs, inputs, kernel, kernel})), geometry(where) {
    if (with_bias) bias = Variable<T>(Tensor<T>::zeros(Shape{outputs}));
  }

  Variable<T> operator()(const Variable<T>& x) const {
    const Variable<T> y = conv2d(x, weight, geometry);
    return bias ? y + reshape(*bias, Shape{1, bias->extent(0), 1, 1}) : y;
  }
  void visit(const std::string& prefix, ModuleVisitor<T>& visitor) {
    visitor.parameter(join_name(prefix, "weight"), weight);
    if (bias) visitor.parameter(join_name(prefix, "bias"), *bias);
    visitor.geometry(geometry);
  }

  Variable<T> weight;               ///< [Cout,Cin,k,k]
  std::optional<Variable<T>> bias;  ///< [Cout]
  Conv2dGeometry geometry;
};

/// x W^T + b: [N,in] -> [N,out].
template <class T>
struct Linear {
  Linear() = default;
  Linear(std::int64_t inputs, std::int64_t outputs)
      : weight(Tensor<T>::zeros(Shape{outputs, inputs})), bias(Tensor<T>::zeros(Shape{outputs})) {}

  Variable<T> operator()(const Variable<T>& x) const { return linear(x, weight, bias); }
  void visit(const std::string& prefix, ModuleVisitor<T>& visitor) {
    visitor.parameter(join_name(prefix, "weight"), weight);
    visitor.parameter(join_name(prefix, "bias"), bias);
  }

  Variable<T> weight;  ///< [out,in]
  Variable<T> bias;    ///< [out]
};

/// Batch normalisation of [N,C] or [N,C,H,W] per channel, with the running statistics, or
/// (`training`) with the batch's own, which then move the running ones by `momentum` (the unbiased
/// variance, as usual) in place: a module in training belongs to one thread.
template <class T>
struct BatchNorm2d {
  BatchNorm2d() = default;
  explicit BatchNorm2d(std::int64_t channels)
      : weight(Tensor<T>::full(Shape{channels}, T{1})),
        bias(Tensor<T>::zeros(Shape{channels})),
        running_mean(Tensor<T>::zeros(Shape{channels})),
        running_variance(Tensor<T>::full(Shape{channels}, T{1})) {}

  Variable<T> operator()(const Variable<T>& x) const;
  void visit(const std::string& prefix, ModuleVisitor<T>& visitor) {
    visitor.parameter(join_name(prefix, "weight"), weight);
    visitor.parameter(join_name(prefix, "bias"), bias);
    visitor.buffer(join_name(prefix, "running_mean"), running_mean);
    visitor.buffer(join_name(prefix, "running_var"), running_variance);
  }

  static constexpr double epsilon = 1e-5;
  static constexpr double momentum = 0.1;

  Variable<T> weight;          ///< [C]
  Variable<T> bias;            ///< [C]
  Tensor<T> running_mean;      ///< [C]
  Tensor<T> running_variance;  ///< [C]
  bool training = false;
};

/// In evaluation batch norm is y = factor x + offset per channel: these two, [C] each, in double on
/// the host.
struct FoldedBatchNorm {
  std::vector<double> factor;
  std::vector<double> offset;
};
template <class T>
FoldedBatchNorm fold(const BatchNorm2d<T>& norm);

/// Convolution, batch norm, ReLU; parameters "0" and "1".
template <class T>
struct ConvBlock {
  ConvBlock() = default;
  ConvBlock(std::int64_t inputs, std::int64_t outputs, std::int64_t kernel, Conv2dGeometry geometry)
      : convolution(inputs, outputs, kernel, geometry, true), norm(outputs) {}

  Variable<T> operator()(const Variable<T>& x) const { return relu(norm(convolution(x))); }
  void visit(const std::string& prefix, ModuleVisitor<T>& visitor) {
    convolution.visit(join_name(prefix, "0"), visitor);
    norm.visit(join_name(prefix, "1"), visitor);
  }

  Conv2d<T> convolution;
  BatchNorm2d<T> norm;
};

/// Linear, batch norm, ReLU (unless `rectified` is false) on [N,C,H,W], flattened, or [N,in];
/// parameters "linear" and "bn".
template <class T>
struct LinearBlock {
  LinearBlock() = default;
  LinearBlock(std::int64_t inputs, std::int64_t outputs) : linear(inputs, outputs), norm(outputs) {}

  Variable<T> operator()(const Variable<T>& x) const {
    const std::int64_t rows = x.extent(0);
    const Variable<T> y = linear(reshape(x, Shape{rows, linear.weight.extent(1)}));
    const Variable<T> normalised = norm ? (*norm)(y) : y;
    return rectified ? relu(normalised) : normalised;
  }
  void visit(const std::string& prefix, ModuleVisitor<T>& visitor) {
    linear.visit(join_name(prefix, "linear"), visitor);
    if (norm) norm->visit(join_name(prefix, "bn"), visitor);
  }
  /// Multiplies the batch norm, as it is in evaluation, into weight and bias and drops it: the same
  /// function, cheaper.
  void fold_batch_norm();

  Linear<T> linear;
  std::optional<BatchNorm2d<T>> norm;
  bool rectified = true;
};

extern template struct BatchNorm2d<float>;
extern template struct BatchNorm2d<double>;
extern template FoldedBatchNorm fold(const BatchNorm2d<float>&);
extern template FoldedBatchNorm fold(const BatchNorm2d<double>&);
extern template struct LinearBlock<float>;
extern template struct LinearBlock<double>;

}  // namespace atomtrack
