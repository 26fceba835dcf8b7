// SPDX-License-Identifier: MIT
#include "atomtrack/training/ascent.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "atomtrack/autodiff/operations.hpp"
#include "atomtrack/image/box_overlap.hpp"
#include "support/compare.hpp"
#include "training/initialization.hpp"
#include "training/synthetic_data.hpp"

using namespace atomtrack;

namespace {

/// A predictor with random weights, maps of two pairs with two targets each, and their batch.
struct Scene {
  Scene() : predictor(IouArchitecture::modulation) {
    load_parameters(predictor, "p", initial_weights(expected_tensors(predictor, "p"), 5));
    SamplingOptions sampling = test::small_sampling();
    sampling.targets = 2;
    const PairSource source({{test::synthetic_videos(), 1.0}}, test::synthetic_reader(), sampling,
                            test::small_augmentation(), 3);
    pairs = {source.make(0), source.make(1)};
    batch = batch_of<double>(pairs);
    RandomSource random(9);
    layer2 = Tensor<double>(Shape{4, 128, 8, 8});
    layer3 = Tensor<double>(Shape{4, 256, 4, 4});
    for (Tensor<double>* map : {&layer2, &layer3}) {
      for (std::int64_t i = 0; i < map->numel(); ++i) map->data()[i] = random.uniform();
    }
  }

  Variable<double> predicted(const Variable<double>& candidates) const {
    const auto modulation = predictor.modulation(Variable<double>(layer2.slice(0, 2)),
                                                 Variable<double>(layer3.slice(0, 2)),
                                                 Variable<double>(batch.references));
    const auto features = predictor.features(Variable<double>(layer2.slice(2, 2)),
                                             Variable<double>(layer3.slice(2, 2)));
    return predictor.predict(features, modulation, candidates);
  }

  IouPredictor<double> predictor;
  std::vector<TrainingPair> pairs;
  PairBatch<double> batch;
  Tensor<double> layer2, layer3;
};

}  // namespace

TEST_CASE("candidates climb by the released tracker's step, the others stay") {
  Scene scene;
  const std::vector<double> before = scene.batch.candidates.to_vector(),
                            targets_before = scene.batch.targets.to_vector();
  const auto at = Variable<double>::leaf(scene.batch.candidates);
  const std::vector<double> slope =
      backprop(sum(scene.predicted(at)), at, Differentiable::no).value().to_vector();

  AscentOptions options;
  options.count = 2;
  options.steps = 1;
  options.minimum_overlap = 0.0;
  ascend_candidates(scene.predictor, scene.layer2, scene.layer3,
                    std::span<const TrainingPair>(scene.pairs), options, scene.batch);
  const std::vector<double> after = scene.batch.candidates.to_vector(),
                            targets = scene.batch.targets.to_vector();
  bool moved = false;
  for (std::size_t row = 0; row < 16; ++row) {
    CAPTURE(row);
    const bool climbs = row % 4 >= 2;
    for (std::size_t c = 0; c < 4; ++c) {
      const double scale = before[4 * row + 2 + c % 2];
      const double expected = before[4 * row + c] + (climbs ? scale * slope[4 * row + c] : 0.0);
      CHECK(after[4 * row + c] == doctest::Approx(expected).epsilon(1e-12));
      moved = moved || after[4 * row + c] != before[4 * row + c];
    }
    if (!climbs) {
      CHECK(targets[row] == targets_before[row]);
      continue;
    }
    const Box box{after[4 * row], after[4 * row + 1], after[4 * row + 2], after[4 * row + 3]};
    const Box& target = scene.pairs[row / 8].targets[row / 4 % 2].test;
    CHECK(targets[row] ==
          doctest::Approx(2.0 * intersection_over_union(box, target) - 1.0).epsilon(1e-12));
  }
  CHECK(moved);
}

TEST_CASE("climbers take one step more each, and one that loses its target stays behind") {
  Scene one, three;
  AscentOptions options;
  options.count = 3;
  options.steps = 3;
  options.minimum_overlap = 0.0;
  ascend_candidates(three.predictor, three.layer2, three.layer3,
                    std::span<const TrainingPair>(three.pairs), options, three.batch);
  options.steps = 1;
  ascend_candidates(one.predictor, one.layer2, one.layer3, std::span<const TrainingPair>(one.pairs),
                    options, one.batch);
  const std::vector<double> a = one.batch.candidates.to_vector(),
                            b = three.batch.candidates.to_vector();
  for (std::size_t target = 0; target < 4; ++target) {
    const std::size_t first_climber = 4 * target + 1;
    for (std::size_t c = 0; c < 4; ++c) CHECK(a[4 * first_climber + c] == b[4 * first_climber + c]);
    CHECK(a[4 * (first_climber + 1)] != b[4 * (first_climber + 1)]);
  }

  Scene strict;
  const std::vector<double> before = strict.batch.candidates.to_vector();
  options.minimum_overlap = 1.1;
  ascend_candidates(strict.predictor, strict.layer2, strict.layer3,
                    std::span<const TrainingPair>(strict.pairs), options, strict.batch);
  CHECK(strict.batch.candidates.to_vector() == before);

  options.count = 5;
  CHECK_THROWS_AS(
      ascend_candidates(strict.predictor, strict.layer2, strict.layer3,
                        std::span<const TrainingPair>(strict.pairs), options, strict.batch),
      ShapeError);
}
