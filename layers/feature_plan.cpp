// SPDX-License-Identifier: MIT
#include "atomtrack/layers/feature_plan.hpp"

namespace atomtrack {
namespace {

/// Writes layers down as fused steps.
template <class T>
class Lowering {
 public:
  explicit Lowering(const Shape& input) { program.input = input; }

  /// relu?(norm(convolution(input)) + residual?); returns the value made.
  std::size_t add(std::size_t input, const Conv2d<T>& convolution, const BatchNorm2d<T>& norm,
                  bool relu, const std::size_t* residual = nullptr) {
    typename FeatureProgram<T>::Step step;
    step.input = input;
    step.geometry = convolution.geometry;
    step.relu = relu;
    if (residual != nullptr) {
      step.has_residual = true;
      step.residual = *residual;
    }
    fold_into(step, convolution, norm);
    program.steps.push_back(std::move(step));
    return program.steps.size();
  }

  std::size_t add(std::size_t input, const ConvBlock<T>& block) {
    return add(input, block.convolution, block.norm, true);
  }

  std::size_t add(std::size_t input, const BasicBlock<T>& block) {
    const std::size_t inner = add(input, block.conv1, block.bn1, true);
    std::size_t shortcut = input;
    if (block.downsample)
      shortcut = add(input, block.downsample->convolution, block.downsample->norm, false);
    return add(inner, block.conv2, block.bn2, true, &shortcut);
  }

  std::size_t add_max_pool(std::size_t input, Pool2dGeometry geometry) {
    typename FeatureProgram<T>::Step step;
    step.kind = FeatureProgram<T>::Step::Kind::max_pool;
    step.input = input;
    step.pool = geometry;
    program.steps.push_back(std::move(step));
    return program.steps.size();
  }

  FeatureProgram<T> program;

 private:
  static void fold_into(typename FeatureProgram<T>::Step& step, const Conv2d<T>& convolution,
                        const BatchNorm2d<T>& norm) {
    const FoldedBatchNorm folded = fold(norm);
    std::vector<T> filter = convolution.weight.value().to_vector();
    std::vector<T> bias(folded.offset.size());
    const std::vector<T> given =
        convolution.bias ? convolution.bias->value().to_vector() : std::vector<T>(bias.size());
    const std::size_t taps = filter.size() / bias.size();
    for (std::size_t o = 0; o < bias.size(); ++o) {
      for (std::size_t i = o * taps; i < (o + 1) * taps; ++i) {
        filter[i] = static_cast<T>(folded.factor[o] * static_cast<double>(filter[i]));
      }
      bias[o] = static_cast<T>(folded.factor[o] * static_cast<double>(given[o]) + folded.offset[o]);
    }
    const Device device = convolution.weight.device();
    step.filter = Tensor<T>(convolution.weight.shape(), std::span<const T>(filter), device);
    step.bias =
        Tensor<T>(Shape{static_cast<std::int64_t>(bias.size())}, std::span<const T>(bias), device);
  }
};

/// Gives `tensor` the shape and device, keeping its memory when it has them already.
template <class T>
void prepare(Tensor<T>& tensor, const Shape& shape, Device device) {
  if (!tensor.defined() || !(tensor.shape() == shape) || !(tensor.device() == device))
    tensor = Tensor<T>(shape, device);
}

}  // namespace

template <class T>
FeaturePlan<T>::FeaturePlan(const ResNet18<T>& backbone, const IouPredictor<T>* predictor,
                            unsigned outputs, std::int64_t height, std::int64_t width,
                            Precision precision)
    : outputs_(outputs) {
  require<InputError>(height >= 16 && width >= 16 && height % 16 == 0 && width % 16 == 0,
                      "features of a ", height, "x", width, " image: expected multiples of 16");
  require<InputError>(predictor != nullptr || (outputs & (iou3 | iou4)) == 0,
                      "features of the IoU predictor were asked for without a predictor");
  require<InputError>(((outputs & iou3) == 0 || predictor->uses_block3()) &&
                          ((outputs & iou4) == 0 || predictor->uses_block4()),
                      "features were asked for of a block that the IoU predictor does not use");
  Lowering<T> lowering(Shape{3, height, width});
  lowering.program.precision = precision;
  std::size_t value = lowering.add(0, backbone.conv1, backbone.bn1, true);
  value = lowering.add_max_pool(value, ResNet18<T>::stem_pool);
  const std::size_t stages = (outputs & (layer3 | iou4)) != 0   ? 3
                             : (outputs & (layer2 | iou3)) != 0 ? 2
                                                                : 1;
  std::array<std::size_t, 3> layers{};
  for (std::size_t stage = 0; stage < stages; ++stage) {
    for (const BasicBlock<T>& block : backbone.layers[stage]) value = lowering.add(value, block);
    layers[stage] = value;
  }
  std::vector<std::size_t>& wanted = lowering.program.outputs;
  if ((outputs & layer1) != 0) wanted.push_back(layers[0]);
  if ((outputs & layer2) != 0) wanted.push_back(layers[1]);
  if ((outputs & layer3) != 0) wanted.push_back(layers[2]);
  if ((outputs & iou3) != 0) {
    wanted.push_back(
        lowering.add(lowering.add(layers[1], predictor->conv3_1t), predictor->conv3_2t));
  }
  if ((outputs & iou4) != 0) {
    wanted.push_back(
        lowering.add(lowering.add(layers[2], predictor->conv4_1t), predictor->conv4_2t));
  }
  const std::vector<Shape> shapes = lowering.program.value_shapes();
  for (const std::size_t output : wanted) shapes_.push_back(shapes[output]);
  compiled_ = primitives_for<T>(backbone.conv1.weight.device()).compile(lowering.program);
}

template <class T>
void FeaturePlan<T>::run(const Tensor<T>& images, Maps& maps) {
  std::vector<Tensor<T>> outputs;
  const auto for_each_output = [&](auto f) {
    std::size_t at = 0;
    if ((outputs_ & layer1) != 0) f(at++, maps.layer1);
    if ((outputs_ & layer2) != 0) f(at++, maps.layer2);
    if ((outputs_ & layer3) != 0) f(at++, maps.layer3);
    if ((outputs_ & iou3) != 0) f(at++, maps.iou3);
    if ((outputs_ & iou4) != 0) f(at++, maps.iou4);
  };
  for_each_output([&](std::size_t at, Tensor<T>& map) {
    const Shape& s = shapes_[at];
    prepare(map, Shape{images.extent(0), s[0], s[1], s[2]}, images.device());
    outputs.push_back(map);
  });
  compiled_->run(images, outputs);
}

template class FeaturePlan<float>;
template class FeaturePlan<double>;

}  // namespace atomtrack
