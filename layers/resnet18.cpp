// SPDX-License-Identifier: MIT
#include "atomtrack/layers/resnet18.hpp"

namespace atomtrack {

template <class T>
BasicBlock<T>::BasicBlock(std::int64_t inputs, std::int64_t outputs, int stride)
    : conv1(inputs, outputs, 3, {stride, 1}, false),
      conv2(outputs, outputs, 3, {1, 1}, false),
      bn1(outputs),
      bn2(outputs) {
  if (stride != 1 || inputs != outputs) {
    downsample =
        Downsample{Conv2d<T>(inputs, outputs, 1, {stride, 0}, false), BatchNorm2d<T>(outputs)};
  }
}

template <class T>
Variable<T> BasicBlock<T>::operator()(const Variable<T>& x) const {
  const Variable<T> residual = bn2(conv2(relu(bn1(conv1(x)))));
  return relu(residual + (downsample ? downsample->norm(downsample->convolution(x)) : x));
}

template <class T>
void BasicBlock<T>::visit(const std::string& prefix, ModuleVisitor<T>& visitor) {
  conv1.visit(join_name(prefix, "conv1"), visitor);
  bn1.visit(join_name(prefix, "bn1"), visitor);
  conv2.visit(join_name(prefix, "conv2"), visitor);
  bn2.visit(join_name(prefix, "bn2"), visitor);
  if (downsample) {
    downsample->convolution.visit(join_name(prefix, "downsample.0"), visitor);
    downsample->norm.visit(join_name(prefix, "downsample.1"), visitor);
  }
}

template <class T>
ResNet18<T>::ResNet18(bool with_tail, std::int64_t width, std::int64_t classes)
    : conv1(3, width, 7, {2, 3}, false), bn1(width), has_tail(with_tail) {
  std::int64_t inputs = width;
  for (std::size_t stage = 0; stage < (with_tail ? 4 : 3); ++stage) {
    const std::int64_t outputs = width << stage;
    layers[stage] = {BasicBlock<T>(inputs, outputs, stage == 0 ? 1 : 2),
                     BasicBlock<T>(outputs, outputs, 1)};
    inputs = outputs;
  }
  if (with_tail) fc = Linear<T>(inputs, classes);
}

template <class T>
std::map<std::string, Variable<T>> ResNet18<T>::forward(const Variable<T>& x,
                                                        const std::set<std::string>& wanted,
                                                        std::size_t done) const {
  static const std::vector<std::string> names{"conv1",  "layer1", "layer2",
                                              "layer3", "layer4", "fc"};
  std::size_t last = 0;
  for (const std::string& name : wanted) {
    const auto at =
        static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
    require<InputError>(at < (has_tail ? 6U : 4U), "ResNet18 has no output '", name, "'",
                        has_tail ? "" : " (it was made without its tail, layer4 and fc)");
    require<InputError>(done == 0 || at > done, "ResNet18: '", name, "' lies before the output of ",
                        names[std::min<std::size_t>(done, 5)], ", from where it goes on");
    last = std::max(last, at);
  }
  std::map<std::string, Variable<T>> outputs;
  const auto keep = [&](std::size_t at, const Variable<T>& value) {
    if (wanted.count(names[at]) != 0) outputs.emplace(names[at], value);
  };
  Variable<T> y = x;
  if (done == 0) {
    y = relu(bn1(conv1(x)));
    keep(0, y);
    if (last == 0) return outputs;
    y = max_pool2d(y, stem_pool);
  }
  for (std::size_t stage = done + 1; stage <= std::min<std::size_t>(last, 4); ++stage) {
    y = layers[stage - 1][1](layers[stage - 1][0](y));
    keep(stage, y);
  }
  if (last == 5) keep(5, fc(mean(y, {2, 3})));
  return outputs;
}

template <class T>
void ResNet18<T>::visit(const std::string& prefix, ModuleVisitor<T>& visitor) {
  conv1.visit(join_name(prefix, "conv1"), visitor);
  bn1.visit(join_name(prefix, "bn1"), visitor);
  for (std::size_t stage = 0; stage < (has_tail ? 4 : 3); ++stage) {
    for (std::size_t block = 0; block < 2; ++block) {
      layers[stage][block].visit(join_name(prefix, concatenate("layer", stage + 1, ".", block)),
                                 visitor);
    }
  }
  if (has_tail) fc.visit(join_name(prefix, "fc"), visitor);
}

template struct BasicBlock<float>;
template struct BasicBlock<double>;
template struct ResNet18<float>;
template struct ResNet18<double>;

}  // namespace atomtrack
