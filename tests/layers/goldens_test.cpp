// SPDX-License-Identifier: MIT
// Layers and networks against numbers recorded from an independent implementation.
#include "support/goldens.hpp"

#include <doctest/doctest.h>

#include "atomtrack/layers/feature_plan.hpp"
#include "atomtrack/optimization/adam.hpp"
#include "support/compare.hpp"
#include "support/hash_generator.hpp"

using namespace atomtrack;
using test::absolute_difference;
using test::Golden;
using test::relative_difference;

namespace {

/// The tensors of a golden's group as a weights file would hold them, under `prefix`.
NamedTensors tensors_in(const Golden& golden, const std::string& group,
                        const std::string& prefix = "") {
  NamedTensors tensors;
  for (const std::string& name : golden.children(group)) {
    tensors.emplace(prefix + name, golden.tensor<float>(group + "/" + name));
  }
  return tensors;
}

template <class T, template <class> class Module>
void load_hashed(Module<T>& module, const std::string& prefix) {
  NamedTensors weights;
  for (const auto& [name, shape] : expected_tensors(module, prefix))
    weights.emplace(name, test::hashed_parameter(name, shape));
  load_parameters(module, prefix, weights);
}

const IouPredictorWidths small_widths{8, 11, 7, 6, 16, 12, 10, 13, 14, 9, 5};

/// Channels 0, stride, 2 stride, ... of [1,C,H,W].
template <class T>
Tensor<T> every(const Tensor<T>& map, std::int64_t stride) {
  const std::int64_t count = (map.extent(1) + stride - 1) / stride;
  const std::int64_t pixels = map.extent(2) * map.extent(3);
  Tensor<T> result(Shape{1, count, map.extent(2), map.extent(3)});
  for (std::int64_t c = 0; c < count; ++c) {
    std::copy_n(map.data() + c * stride * pixels, pixels, result.data() + c * pixels);
  }
  return result;
}

}  // namespace

TEST_CASE_TEMPLATE("basic blocks and the stem agree with the goldens", T, float, double) {
  const Golden golden("basicblock.h5");
  struct Case {
    const char* name;
    int stride;
  };
  for (const Case& block_case :
       {Case{"identity", 1}, Case{"downsample", 2}, Case{"downsample_even", 2}}) {
    const std::string name = block_case.name;
    CAPTURE(name);
    const auto input = golden.tensor<T>(name + "/input");
    const auto output = golden.tensor<double>(name + "/output");
    BasicBlock<T> block(input.extent(1), output.extent(1), block_case.stride);
    load_parameters(block, "", tensors_in(golden, name + "/params"));
    CHECK(relative_difference(block(Variable<T>(input)).value(), output) < 1e-5);
  }
  ConvBlock<T> stem(3, 8, 7, {2, 3});
  stem.convolution = Conv2d<T>(3, 8, 7, {2, 3}, false);
  load_parameters(stem, "", tensors_in(golden, "stem/params"));
  const auto y =
      max_pool2d(stem(Variable<T>(golden.tensor<T>("stem/input"))), ResNet18<T>::stem_pool);
  CHECK(relative_difference(y.value(), golden.tensor<double>("stem/output")) < 1e-5);
}

TEST_CASE_TEMPLATE("the reduced IoU predictor agrees with the goldens", T, float, double) {
  const Golden golden("iou_head_small.h5");
  const auto input = [&](const char* name) { return Variable<T>(golden.tensor<T>(name)); };
  IouPredictor<T> predictor(IouArchitecture::modulation, small_widths);
  load_parameters(predictor, "", tensors_in(golden, "params"));
  for (const bool folded : {false, true}) {
    if (folded) predictor.fold_batch_norm();
    const auto modulation =
        predictor.modulation(input("ref_layer2"), input("ref_layer3"), input("ref_box"));
    CHECK(relative_difference(modulation.block3.value(), golden.tensor<double>("modulation3")) <
          1e-5);
    CHECK(relative_difference(modulation.block4.value(), golden.tensor<double>("modulation4")) <
          1e-5);
    const auto features = predictor.features(input("test_layer2"), input("test_layer3"));
    CHECK(relative_difference(features.block3.value(), golden.tensor<double>("iou_feat3")) < 1e-5);
    CHECK(relative_difference(features.block4.value(), golden.tensor<double>("iou_feat4")) < 1e-5);
    const auto boxes = Variable<T>::leaf(golden.tensor<T>("proposals"));
    const auto iou = predictor.predict(features, modulation, boxes);
    CHECK(relative_difference(iou.value(), golden.tensor<double>("iou")) < 1e-5);
    CHECK(relative_difference(backprop(sum(iou), boxes).value(),
                              golden.tensor<double>("grad_proposals")) < 2e-5);
  }
}

TEST_CASE_TEMPLATE("three training steps of the IoU predictor agree with the goldens", T, float,
                   double) {
  const Golden golden("iou_head_train.h5");
  const auto input = [&](const char* name) { return Variable<T>(golden.tensor<T>(name)); };
  IouPredictor<T> predictor(IouArchitecture::modulation, small_widths);
  load_parameters(predictor, "", tensors_in(golden, "params"));
  predictor.set_training(true);
  Adam<T> adam;
  const auto losses = golden.tensor<double>("losses").to_vector();
  for (std::size_t step = 0; step < 3; ++step) {
    set_trainable(predictor, true);
    const auto modulation =
        predictor.modulation(input("ref_layer2"), input("ref_layer3"), input("ref_box"));
    const auto features = predictor.features(input("test_layer2"), input("test_layer3"));
    const auto predicted = predictor.predict(features, modulation, input("proposals"));
    const auto target = reshape(input("target"), predicted.shape());
    const auto loss = mean_squared_error(predicted, target);
    CHECK(loss.value().item() == doctest::Approx(losses[step]).epsilon(1e-4));

    const auto parameters = named_parameters(predictor, "");
    std::vector<Variable<T>> variables;
    for (const auto& [name, value] : parameters) variables.push_back(*value);
    const auto gradients =
        backprop(loss, std::span<const Variable<T>>(variables), Differentiable::no);
    double largest = 0.0;
    for (const auto& gradient : gradients) {
      largest = std::max(largest,
                         absolute_difference(gradient.value(), Tensor<T>::zeros(gradient.shape())));
    }
    std::vector<Tensor<T>> values, steps;
    for (std::size_t k = 0; k < parameters.size(); ++k) {
      if (step == 0) {
        CAPTURE(parameters[k].first);
        CHECK(absolute_difference(gradients[k].value(),
                                  golden.tensor<double>("grads/" + parameters[k].first)) <
              1e-4 * largest);
      }
      values.push_back(variables[k].value());
      steps.push_back(gradients[k].value());
    }
    if (step == 0) {
      for (const std::string& name : golden.children("running")) {
        if (name.ends_with("num_batches_tracked")) continue;
        CAPTURE(name);
        CHECK(relative_difference(named_tensors(predictor, "").at(name),
                                  golden.tensor<double>("running/" + name)) < 1e-5);
      }
    }
    adam.step(values, steps);
  }
  for (const auto& [name, value] : named_parameters(predictor, "")) {
    // A bias before batch norm has gradient zero but for rounding, which Adam turns into full
    // steps.
    const bool before_norm = name.ends_with(".0.bias") || name.ends_with("linear.bias");
    if (before_norm) continue;
    CAPTURE(name);
    CHECK(absolute_difference(value->value(), golden.tensor<double>("params_after/" + name)) <
          1e-4);
  }
}

TEST_CASE("the whole network agrees with the goldens, layer by layer and compiled") {
  const Golden golden("full_net.h5");
  const auto check_value = golden.tensor<double>("check_splitmix").to_vector();
  REQUIRE(test::hashed_uniform("x", 4) == check_value);

  ResNet18<float> backbone;
  IouPredictor<float> predictor;
  load_hashed(backbone, "feature_extractor");
  load_hashed(predictor, "bb_regressor");
  const auto image = golden.tensor<std::uint8_t>("image");
  Tensor<float> input(Shape{1, 3, 288, 288});
  std::array<float, 3> offset{}, scale{};
  for (std::size_t c = 0; c < 3; ++c) {
    offset[c] = static_cast<float>(255.0 * ResNet18<float>::image_mean[c]);
    scale[c] = static_cast<float>(1.0 / (255.0 * ResNet18<float>::image_deviation[c]));
  }
  primitives_for<float>(Device::cpu())
      .crop_resize_frame(image, CropWindow{0, 0, 288, 288, 1, 0, 0}, offset, scale, input);

  const auto layers = backbone.forward(Variable<float>(input), {"layer1", "layer2", "layer3"});
  CHECK(layers.count("conv1") == 0);
  CHECK(relative_difference(every(layers.at("layer1").value(), 16),
                            golden.tensor<float>("layer1")) < 1e-4);
  CHECK(relative_difference(every(layers.at("layer2").value(), 3), golden.tensor<float>("layer2")) <
        1e-4);
  CHECK(relative_difference(every(layers.at("layer3").value(), 3), golden.tensor<float>("layer3")) <
        1e-4);
  const auto features = predictor.features(layers.at("layer2"), layers.at("layer3"));
  CHECK(relative_difference(every(features.block3.value(), 8), golden.tensor<float>("iou_feat3")) <
        1e-4);
  CHECK(relative_difference(every(features.block4.value(), 8), golden.tensor<float>("iou_feat4")) <
        1e-4);

  const auto later =
      backbone.forward(layers.at("layer1"), {"layer2", "layer3"}, 1);  // layer1 behind it
  CHECK(absolute_difference(later.at("layer2").value(), layers.at("layer2").value()) == 0.0);
  CHECK(absolute_difference(later.at("layer3").value(), layers.at("layer3").value()) == 0.0);
  CHECK_THROWS_AS(backbone.forward(layers.at("layer1"), {"layer1", "layer3"}, 1), InputError);

  using Plan = FeaturePlan<float>;
  Plan first(backbone, nullptr, Plan::layer1, 288, 288);
  Plan::Maps first_maps;
  first.run(input, first_maps);
  CHECK(relative_difference(first_maps.layer1, layers.at("layer1").value()) < 1e-4);
  CHECK(!first_maps.layer2.defined());
  Plan plan(backbone, &predictor, Plan::layer2 | Plan::layer3 | Plan::iou3 | Plan::iou4, 288, 288);
  Plan::Maps maps;
  plan.run(input, maps);
  CHECK(relative_difference(maps.layer2, layers.at("layer2").value()) < 1e-4);
  CHECK(relative_difference(maps.layer3, layers.at("layer3").value()) < 1e-4);
  CHECK(relative_difference(maps.iou3, features.block3.value()) < 1e-4);
  CHECK(relative_difference(maps.iou4, features.block4.value()) < 1e-4);

  const auto modulation =
      predictor.modulation(Variable<float>(maps.layer2), Variable<float>(maps.layer3),
                           Variable<float>(golden.tensor<float>("ref_box")));
  CHECK(relative_difference(modulation.block3.value().reshape(Shape{256}),
                            golden.tensor<float>("modulation3")) < 1e-4);
  CHECK(relative_difference(modulation.block4.value().reshape(Shape{256}),
                            golden.tensor<float>("modulation4")) < 1e-4);
  const auto boxes = Variable<float>::leaf(golden.tensor<float>("proposals"));
  const auto iou = predictor.predict({Variable<float>(maps.iou3), Variable<float>(maps.iou4)},
                                     modulation, boxes);
  CHECK(relative_difference(iou.value(), golden.tensor<float>("iou")) < 1e-4);
  CHECK(relative_difference(backprop(sum(iou), boxes).value(),
                            golden.tensor<float>("grad_proposals")) < 1e-4);
}
