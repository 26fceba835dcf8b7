// SPDX-License-Identifier: MIT
// Offline training on the emulated device and on the CPU.
#include <doctest/doctest.h>

#include <cmath>

#include "atomtrack/autodiff/operations.hpp"
#include "atomtrack/training/trainer.hpp"
#include "support/compare.hpp"
#include "training/initialization.hpp"
#include "training/synthetic_data.hpp"

using namespace atomtrack;
using test::absolute_difference;

namespace {

struct Gradients {
  std::vector<std::string> names;
  std::vector<Tensor<double>> values;
};

/// Of the loss of some pairs in every parameter, backbone included.
Gradients gradients_on(Device device, const std::vector<TrainingPair>& pairs) {
  TrainingNetwork<double> net;
  NamedTensors weights = test::synthetic_backbone().tensors;
  weights.merge(initial_weights(expected_tensors(net.predictor, "bb_regressor"), 5));
  load_parameters(net, "", weights, device);
  net.predictor.set_training(true);
  set_trainable(net, true);
  Gradients result;
  std::vector<Variable<double>> parameters;
  for (auto& [name, value] : named_parameters(net, "")) {
    result.names.push_back(name);
    parameters.push_back(*value);
  }
  const PairBatch<double> batch = batch_of<double>(pairs, device);
  const auto maps = net.backbone.forward(Variable<double>(batch.images), {"layer2", "layer3"});
  const Variable<double> loss =
      training_loss(predict(net.predictor, maps.at("layer2"), maps.at("layer3"), batch), batch);
  for (const auto& gradient :
       backprop(loss, std::span<const Variable<double>>(parameters), Differentiable::no))
    result.values.push_back(gradient.value());
  return result;
}

double squared_distance(const Tensor<float>& a, const Tensor<float>& b) {
  const std::vector<float> left = a.to_vector(), right = b.to_vector();
  double sum = 0.0;
  for (std::size_t i = 0; i < left.size(); ++i) {
    const double gap = static_cast<double>(left[i]) - static_cast<double>(right[i]);
    sum += gap * gap;
  }
  return sum;
}

}  // namespace

TEST_CASE("the gradients of a training step are the CPU's") {
  std::vector<TrainingPair> pairs;
  for (std::uint64_t i = 0; i < 4; ++i) pairs.push_back(test::synthetic_pairs()->make(100 + i));
  const Gradients expected = gradients_on(Device::cpu(), pairs);
  const Gradients came = gradients_on(Device::cuda(0), pairs);
  double largest = 0.0;
  for (const auto& value : expected.values)
    largest = std::max(largest, absolute_difference(value, Tensor<double>::zeros(value.shape())));
  REQUIRE(largest > 0.0);
  REQUIRE(came.names == expected.names);
  for (std::size_t i = 0; i < came.values.size(); ++i) {
    CAPTURE(came.names[i]);
    CHECK(absolute_difference(came.values[i], expected.values[i]) < 1e-10 * largest);
  }
}

TEST_CASE("a step of training, of the head or of all, goes as on the CPU") {
  for (const double backbone_rate : {0.0, 1e-5}) {
    CAPTURE(backbone_rate);
    TrainingOptions options;
    options.seed = 8;
    options.batch = 4;
    options.group = 2;
    options.climbing_candidates = 1;
    options.schedule = {{4, 1e-4, 0.0, backbone_rate, 0.0}};
    GradientExchange alone;
    Trainer cpu(options, test::synthetic_backbone(), test::synthetic_pairs(), alone, Device::cpu());
    Trainer gpu(options, test::synthetic_backbone(), test::synthetic_pairs(), alone,
                Device::cuda(0));
    const NamedTensors before = cpu.weights().tensors;
    const Trainer::Step step = cpu.step(), came = gpu.step();
    CHECK(cpu.finished());
    CHECK(gpu.finished());
    CHECK(came.loss == doctest::Approx(step.loss).epsilon(1e-4));
    CHECK(came.mean_error == doctest::Approx(step.mean_error).epsilon(1e-4));
    // A step of Adam is as long for a gradient that is almost 0 as for any other, and there
    // rounding decides on its sign: so the ways gone are compared as a whole.
    const NamedTensors expected = cpu.weights().tensors, weights = gpu.weights().tensors;
    double gone = 0.0, apart = 0.0;
    for (const auto& [name, tensor] : expected) {
      gone += squared_distance(tensor, before.at(name));
      apart += squared_distance(tensor, weights.at(name));
    }
    CHECK(gone > 0.0);
    CHECK(std::sqrt(apart / gone) < 0.05);
  }
}
