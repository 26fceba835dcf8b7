// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "atomtrack/layers/basic_layers.hpp"

namespace atomtrack {

/// Two 3x3 convolutions with batch norm around a shortcut: relu(x' + f(x)), x' being x, or a
/// strided 1x1 convolution of it where the shape changes (He et al., 2016).
template <class T>
struct BasicBlock {
  BasicBlock() = default;
  BasicBlock(std::int64_t inputs, std::int64_t outputs, int stride);

  Variable<T> operator()(const Variable<T>& x) const;
  void visit(const std::string& prefix, ModuleVisitor<T>& visitor);

  Conv2d<T> conv1, conv2;
  BatchNorm2d<T> bn1, bn2;
  struct Downsample {
    Conv2d<T> convolution;
    BatchNorm2d<T> norm;
  };
  std::optional<Downsample> downsample;
};

/// ResNet-18, the backbone (section 3.3). The paper's "Block3" is `layer2` (128 channels, stride 8)
/// and its "Block4" is `layer3` (256 channels, stride 16). Input: [N,3,H,W], RGB in [0, 1], minus
/// the mean, over the deviation (`image_mean`, `image_deviation`).
template <class T>
struct ResNet18 {
  /// `width`: channels of the first stage (64), doubled at each further one. Without the tail,
  /// layer4 and fc are left out: tracking needs neither.
  explicit ResNet18(bool with_tail = false, std::int64_t width = 64, std::int64_t classes = 1000);

  /// The outputs asked for by name ("conv1", "layer1" .. "layer4", "fc"), computing nothing beyond
  /// the last of them. "conv1" is the stem before max-pooling, "fc" the class scores [N,classes].
  /// With `done` stages behind it, x is the output of layer<done>, which can then not be asked for.
  /// Throws InputError for another name, or for layer4 or fc without the tail.
  std::map<std::string, Variable<T>> forward(const Variable<T>& x,
                                             const std::set<std::string>& wanted,
                                             std::size_t done = 0) const;
  void visit(const std::string& prefix, ModuleVisitor<T>& visitor);

  static constexpr std::array<double, 3> image_mean{0.485, 0.456, 0.406};
  static constexpr std::array<double, 3> image_deviation{0.229, 0.224, 0.225};
  static constexpr Pool2dGeometry stem_pool{3, 2, 1};

  Conv2d<T> conv1;
  BatchNorm2d<T> bn1;
  std::array<std::array<BasicBlock<T>, 2>, 4> layers;  ///< layer1 .. layer4
  Linear<T> fc;
  bool has_tail;
};

extern template struct BasicBlock<float>;
extern template struct BasicBlock<double>;
extern template struct ResNet18<float>;
extern template struct ResNet18<double>;

}  // namespace atomtrack
