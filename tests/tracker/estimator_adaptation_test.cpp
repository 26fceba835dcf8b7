// SPDX-License-Identifier: MIT
#include "tracker/estimator_adaptation.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "atomtrack/autodiff/operations.hpp"
#include "atomtrack/image/box_overlap.hpp"
#include "support/compare.hpp"
#include "support/hash_generator.hpp"

using namespace atomtrack;

namespace {

Tensor<float> random_map(const Shape& shape, RandomSource& random) {
  Tensor<float> map(shape);
  for (std::int64_t i = 0; i < map.numel(); ++i)
    map.data()[i] = static_cast<float>(random.uniform());
  return map;
}

/// A predictor with random weights, three crops and the boxes known in them.
struct Scene {
  explicit Scene(IouArchitecture architecture = IouArchitecture::modulation)
      : predictor(architecture) {
    NamedTensors weights;
    for (const auto& [name, shape] : expected_tensors(predictor, "p"))
      weights.emplace(name, test::hashed_parameter(name, shape));
    load_parameters(predictor, "p", weights);
    RandomSource random(4);
    known.features = {Variable<float>(random_map(Shape{3, 256, 36, 36}, random)),
                      Variable<float>(random_map(Shape{3, 256, 18, 18}, random))};
    known.boxes = {{110, 100, 60, 80}, {95, 120, 55, 74}, {130, 90, 66, 88}};
    const Variable<float> layer2(random_map(Shape{1, 128, 36, 36}, random));
    const Variable<float> layer3(random_map(Shape{1, 256, 18, 18}, random));
    modulation = predictor.modulation(
        layer2, layer3,
        Variable<float>(Tensor<float>(Shape{1, 4}, {110.0F, 100.0F, 60.0F, 80.0F})));
    options.adaptation_n_gn = 2;
    options.adaptation_regularization = 1e-3;
  }

  Modulation<float> adapt(std::uint64_t seed = 1) const {
    RandomSource random(seed);
    return adapted(predictor, modulation, known, options, random);
  }

  /// Mean squared error of the prediction on shifted and scaled boxes that nobody was shown.
  double error(const Modulation<float>& with) const {
    double sum = 0.0;
    std::vector<float> values;
    std::vector<double> truth;
    for (const Box& box : known.boxes) {
      for (const double shift : {-0.3, -0.1, 0.0, 0.1, 0.3}) {
        for (const double growth : {0.7, 1.0, 1.4}) {
          const Box there{box.x + shift * box.width, box.y - shift * box.height, box.width * growth,
                          box.height * growth};
          for (const double v : {there.x, there.y, there.width, there.height})
            values.push_back(static_cast<float>(v));
          truth.push_back(2.0 * intersection_over_union(there, box) - 1.0);
        }
      }
    }
    const Tensor<float> boxes(Shape{3, 15, 4}, std::span<const float>(values));
    const std::vector<float> predicted =
        predictor.predict(known.features, with, Variable<float>(boxes)).value().to_vector();
    for (std::size_t i = 0; i < truth.size(); ++i)
      sum += std::pow(static_cast<double>(predicted[i]) - truth[i], 2.0);
    return sum / static_cast<double>(truth.size());
  }

  IouPredictor<float> predictor;
  KnownBoxes known;
  Modulation<float> modulation;
  Options options;
};

}  // namespace

TEST_CASE("the modulation vectors learn the known boxes") {
  const Scene scene;
  const Modulation<float> learned = scene.adapt();
  CHECK(learned.block3.shape() == scene.modulation.block3.shape());
  CHECK(learned.block4.shape() == scene.modulation.block4.shape());
  const double before = scene.error(scene.modulation), after = scene.error(learned);
  CAPTURE(before);
  CAPTURE(after);
  CHECK(after < 0.5 * before);
  CHECK(scene.adapt().block3.value().to_vector() == learned.block3.value().to_vector());
  CHECK(scene.adapt(2).block3.value().to_vector() != learned.block3.value().to_vector());
}

TEST_CASE("regularisation holds the vectors where the reference branch put them") {
  Scene scene;
  const auto change = [&] {
    const auto now = scene.adapt().block4.value().to_vector();
    const auto then = scene.modulation.block4.value().to_vector();
    double sum = 0.0, size = 0.0;
    for (std::size_t i = 0; i < now.size(); ++i) {
      sum += std::pow(static_cast<double>(now[i] - then[i]), 2.0);
      size += std::pow(static_cast<double>(then[i]), 2.0);
    }
    return std::sqrt(sum / size);
  };
  const double free = change();
  scene.options.adaptation_regularization = 1.0;
  const double held = change();
  scene.options.adaptation_regularization = 1e6;
  CHECK(held < 0.5 * free);
  CHECK(change() < 1e-3);
}

TEST_CASE("a predictor without modulation stays as it is, one with a single block adapts that") {
  const Scene siamese(IouArchitecture::siamese);
  CHECK(siamese.adapt().block3.value().to_vector() ==
        siamese.modulation.block3.value().to_vector());
  Scene block4(IouArchitecture::modulation_block4);
  const Modulation<float> learned = block4.adapt();
  CHECK_FALSE(learned.block3.defined());
  CHECK(block4.error(learned) < block4.error(block4.modulation));
}
