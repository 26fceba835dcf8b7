// SPDX-License-Identifier: MIT
// The pieces of the tracker against numbers recorded from an independent implementation.
#include "support/goldens.hpp"

#include <doctest/doctest.h>

#include "atomtrack/layers/iou_predictor.hpp"
#include "atomtrack/tracker/box_refinement.hpp"
#include "atomtrack/tracker/feature_normalization.hpp"
#include "atomtrack/tracker/labels.hpp"
#include "atomtrack/tracker/localization.hpp"
#include "atomtrack/tracker/sample_memory.hpp"
#include "support/compare.hpp"

using namespace atomtrack;
using test::absolute_difference;
using test::Golden;
using test::relative_difference;

TEST_CASE("labels agree with the goldens") {
  const Golden golden("labels.h5");
  for (const std::string& name : golden.children("/")) {
    CAPTURE(name);
    const auto expected = golden.tensor<float>(name + "/y");
    const auto centre = golden.attributes(name, "center");
    const auto sigma = golden.attributes(name, "sigma");
    Tensor<float> label(expected.shape());
    gaussian_label({centre[0], centre[1]}, {sigma[0], sigma[1]},
                   static_cast<int>(expected.extent(0)), static_cast<int>(expected.extent(1)),
                   label.data());
    CHECK(absolute_difference(label, expected) < 1e-6);
  }
}

TEST_CASE("power normalisation agrees with the goldens") {
  const Golden golden("featnorm.h5");
  for (const Device device : {Device::cpu(), Device::reference()}) {
    auto x = golden.tensor<float>("x", device);
    normalize_power(x);
    CHECK(absolute_difference(x, golden.tensor<float>("y")) < 1e-6);
  }
}

TEST_CASE("localisation agrees with the goldens") {
  const Golden golden("localize.h5");
  const auto scores = golden.tensor<float>("scores_raw");
  const auto displacement = golden.tensor<double>("disp").to_vector();
  const auto highest = golden.tensor<double>("max_score").to_vector();
  const auto flags = golden.texts("/", "flags");
  const auto names = golden.texts("/", "names");
  const auto target = golden.attributes("/", "target_sz_over_scale");
  Localizer localizer(Options{}, 18);
  for (std::size_t i = 0; i < names.size(); ++i) {
    CAPTURE(names[i]);
    const auto map = scores.slice(static_cast<std::int64_t>(i), 1).reshape(Shape{1, 1, 18, 18});
    if (golden.has("upsampled_" + names[i])) {
      CHECK(relative_difference(localizer.interpolate(map).reshape(Shape{288, 288}),
                                golden.tensor<float>("upsampled_" + names[i])) < 1e-5);
    }
    const Localization found = localizer.localize(map, {target[0], target[1]});
    CHECK(found.displacement.row == displacement[2 * i]);
    CHECK(found.displacement.col == displacement[2 * i + 1]);
    CHECK(found.score == doctest::Approx(highest[i]).epsilon(1e-5));
    const std::string flag = to_string(found.state);
    CHECK(flag == (flags[i] == "none" ? "tracked" : flags[i] == "not_found" ? "lost" : flags[i]));
  }
  Options odd;  // a map of odd size goes with an odd filter
  odd.crop_size = 304;
  odd.filter_size = 5;
  Localizer odd_localizer(odd, 19);
  const auto map = golden.tensor<float>("odd_19_to_304/scores_raw").reshape(Shape{1, 1, 19, 19});
  const Localization found = odd_localizer.localize(map, {target[0], target[1]});
  const auto expected = golden.tensor<double>("odd_19_to_304/disp").to_vector();
  CHECK(found.displacement.row == expected[0]);
  CHECK(found.displacement.col == expected[1]);
  CHECK(found.score ==
        doctest::Approx(golden.tensor<double>("odd_19_to_304/max_score").item()).epsilon(1e-5));
}

TEST_CASE("sample weights and replacement agree with the goldens") {
  const Golden golden("memory_weights.h5");
  const auto hard_negative = golden.tensor<std::int32_t>("hard_negative").to_vector();
  for (const std::string variant : {"default", "fast", "nomin"}) {
    CAPTURE(variant);
    const auto weights = golden.tensor<float>(variant + "/weights");
    const auto slots = golden.tensor<std::int32_t>(variant + "/replace_ind").to_vector();
    const double rate = golden.attribute(variant, "lr");
    SampleWeights memory(12, 4, variant == "nomin" ? 0.0 : 0.25);
    for (std::size_t t = 0; t < slots.size(); ++t) {
      CAPTURE(t);
      CHECK(memory.add(hard_negative[t] != 0 ? std::max(0.02, rate) : rate) == slots[t]);
      const Tensor<float> ours(Shape{1, 12}, std::span<const float>(memory.weights()));
      CHECK(absolute_difference(ours, weights.slice(static_cast<std::int64_t>(t), 1)) < 1e-6);
    }
  }
}

TEST_CASE_TEMPLATE("refinement agrees with the goldens", T, float, double) {
  const Golden head("iou_head_small.h5");
  const Golden golden("box_refine.h5");
  IouPredictor<T> predictor(IouArchitecture::modulation,
                            IouPredictorWidths{8, 11, 7, 6, 16, 12, 10, 13, 14, 9, 5});
  NamedTensors weights;
  for (const std::string& name : head.children("params"))
    weights.emplace(name, head.tensor<float>("params/" + name));
  load_parameters(predictor, "", weights);
  const auto first = [&](const char* name) {
    return Variable<T>(head.tensor<T>(name).slice(0, 1));
  };
  const auto modulation =
      predictor.modulation(first("ref_layer2"), first("ref_layer3"), first("ref_box"));
  const auto features = predictor.features(first("test_layer2"), first("test_layer3"));
  const auto start = golden.tensor<T>("init_boxes");
  for (const std::string& name : golden.children("/")) {
    if (name == "init_boxes") continue;
    CAPTURE(name);
    RefinementOptions options;
    const auto step = golden.attributes(name, "box_refinement_step_length");
    options.position_step = step.front();
    options.size_step = step.back();
    options.decay = golden.attribute(name, "box_refinement_step_decay");
    if (name.starts_with("relative")) options.space = RefinementSpace::relative;
    // Large steps carry boxes tens of pixels at a time, and the recording's rounding with them.
    const bool large_steps =
        name == "default_decay" || name == "default_step_big" || name == "relative_decay";
    const double tolerance = large_steps ? 2e-2 : 1e-3;  // pixels
    const auto boxes = golden.tensor<double>(name + "/boxes_iter");
    const auto overlap = golden.tensor<double>(name + "/iou_iter");
    for (options.steps = 1; options.steps <= 5; ++options.steps) {
      CAPTURE(options.steps);
      const auto refined = refine_boxes<T>(
          [&](const Variable<T>& at) { return predictor.predict(features, modulation, at); }, start,
          options);
      CHECK(absolute_difference(refined.boxes,
                                boxes.slice(options.steps, 1).reshape(start.shape())) < tolerance);
      CHECK(absolute_difference(refined.overlap,
                                overlap.slice(options.steps - 1, 1).reshape(Shape{10})) < 1e-4);
    }
  }
}
