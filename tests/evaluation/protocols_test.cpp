// SPDX-License-Identifier: MIT
// GOT-10k's and TrackingNet's measures.
#include <doctest/doctest.h>

#include <array>
#include <cmath>

#include "atomtrack/evaluation/got10k.hpp"
#include "atomtrack/evaluation/metrics.hpp"
#include "atomtrack/evaluation/trackingnet.hpp"
#include "atomtrack/tensor/error.hpp"
#include "support/goldens.hpp"

using namespace atomtrack;

namespace {

std::vector<Box> boxes_in(const test::Golden& golden, const std::string& path) {
  const auto values = golden.tensor<double>(path).to_vector();
  std::vector<Box> boxes;
  for (std::size_t i = 0; i < values.size(); i += 4)
    boxes.push_back({values[i], values[i + 1], values[i + 2], values[i + 3]});
  return boxes;
}

}  // namespace

TEST_CASE("GOT-10k: the first frame and frames without the target do not count") {
  const Box truth{10, 10, 20, 20}, away{50, 50, 20, 20}, half{20, 10, 20, 20};  // IoU 1/3
  const std::vector<Box> annotated(5, truth), predicted{away, truth, half, away, {10, 10, 20, 16}};
  const Got10kScores all = got10k_sequence(predicted, annotated, {}, 100, 100);
  CHECK(all.frames == 4);
  CHECK(all.average_overlap == doctest::Approx((1.0 + 1.0 / 3 + 0.0 + 0.8) / 4));
  CHECK(all.success50 == 0.5);
  CHECK(all.success75 == 0.5);
  const std::array<double, 5> cover{8, 8, 0, 0, 3};
  const Got10kScores visible = got10k_sequence(predicted, annotated, cover, 100, 100);
  CHECK(visible.frames == 2);
  CHECK(visible.average_overlap == doctest::Approx(0.9));
}

TEST_CASE("GOT-10k: boxes are cut to the image") {
  const std::vector<Box> annotated(2, {80, 0, 20, 10}), predicted(2, {80, 0, 40, 10});
  CHECK(got10k_sequence(predicted, annotated, {}, 100, 50).average_overlap == 1.0);
  CHECK(got10k_sequence(predicted, annotated, {}, 200, 50).average_overlap == 0.5);
  // A corner left of the image is moved with the width kept.
  const std::vector<Box> at_edge(2, {0, 0, 20, 10}), left(2, {-10, 0, 20, 10});
  CHECK(got10k_sequence(left, at_edge, {}, 100, 50).average_overlap == 1.0);
}

TEST_CASE("GOT-10k: overlaps over 0.5 and 0.75, strictly") {
  const std::vector<Box> annotated(3, {0, 0, 20, 20});
  const std::vector<Box> predicted{{0, 0, 20, 20}, {0, 0, 20, 10}, {0, 0, 20, 15}};
  const Got10kScores scores = got10k_sequence(predicted, annotated, {}, 100, 100);
  CHECK(scores.success50 == 0.5);
  CHECK(scores.success75 == 0.0);
}

TEST_CASE("GOT-10k: means over frames and over sequences") {
  const std::array<Got10kScores, 3> two{
      Got10kScores{0.5, 0.25, 0.0, 30}, {0.9, 0.75, 0.5, 10}, {0, 0, 0, 0}};
  const Got10kScores frames = got10k_over_frames(two), sequences = got10k_over_sequences(two);
  CHECK(frames.average_overlap == doctest::Approx(0.6));
  CHECK(frames.success50 == doctest::Approx(0.375));
  CHECK(frames.success75 == doctest::Approx(0.125));
  CHECK(frames.frames == 40);
  CHECK(sequences.average_overlap == doctest::Approx(0.7));
  CHECK(sequences.success75 == doctest::Approx(0.25));
}

TEST_CASE("GOT-10k agrees with the goldens' overlaps where those have valid frames") {
  const test::Golden golden("metrics.h5");
  const auto annotated = boxes_in(golden, "gt");
  const auto overlaps = golden.tensor<double>("overlap").to_vector();
  std::vector<Box> predicted = boxes_in(golden, "pred"), kept_truth, kept;
  double sum = 0.0;
  for (std::size_t i = 0; i < annotated.size(); ++i) {
    if (i > 0 && (overlaps[i] < 0 || predicted[i].width <= 0)) continue;
    kept.push_back(predicted[i]);
    kept_truth.push_back(annotated[i]);
    sum += i > 0 ? overlaps[i] : 0.0;
  }
  const Got10kScores scores = got10k_sequence(kept, kept_truth, {}, 100000, 100000);
  REQUIRE(scores.frames > 20);
  CHECK(scores.average_overlap == doctest::Approx(sum / scores.frames).epsilon(1e-9));
}

TEST_CASE("GOT-10k and TrackingNet refuse what does not fit") {
  const std::vector<Box> one(1, {0, 0, 5, 5}), two(2, {0, 0, 5, 5});
  const std::vector<Box> lost{{0, 0, 5, 5}, {std::nan(""), 0, 5, 5}}, empty(2, {0, 0, 0.3, 5});
  CHECK_THROWS_AS(got10k_sequence(one, two, {}, 10, 10), InputError);
  CHECK_THROWS_AS(got10k_sequence(two, two, std::array<double, 1>{1}, 10, 10), InputError);
  CHECK_THROWS_AS(got10k_sequence(lost, two, {}, 10, 10), InputError);
  CHECK_THROWS_AS(got10k_sequence(two, two, {}, 0, 10), InputError);
  CHECK_THROWS_AS(trackingnet_sequence(one, two), InputError);
  CHECK_THROWS_AS(trackingnet_sequence(lost, two), InputError);
  CHECK_THROWS_AS(trackingnet_sequence(two, empty), InputError);
  CHECK_THROWS_AS(area_under_curve(std::array<double, 1>{1}), InputError);
}

TEST_CASE("TrackingNet: areas under the curves") {
  CHECK(area_under_curve(std::array<double, 3>{0, 0.5, 1}) == doctest::Approx(0.5));
  // Off by 5 of 20 pixels in x: a normalised error of 0.25 passes thresholds 10 to 20 of 20.
  const std::vector<Box> annotated(2, {10, 10, 20, 40});
  const std::vector<Box> predicted{{99, 99, 1, 1}, {15.4, 10, 20, 40}};  // rounded: 15
  const TrackingNetScores scores = trackingnet_sequence(predicted, annotated);
  CHECK(scores.normalized_precision == doctest::Approx((1.0 + (10 + 0.5) / 20) / 2));
  CHECK(scores.precision == doctest::Approx((1.0 + (18 + 0.5) / 20) / 2));  // 5 pixels: 2 to 20
  // Overlap 15/25 = 0.6 exceeds thresholds 0 to 0.55; that of the first frame 0 to 0.95.
  CHECK(scores.success == doctest::Approx((19.5 + 11.5) / 2 / 20));
}

TEST_CASE("TrackingNet's area beside the value at 0.20, on the goldens") {
  const test::Golden golden("metrics.h5");
  const auto curve = golden.tensor<double>("norm_precision").to_vector();
  double trapezoids = 0.0;
  for (std::size_t i = 1; i < curve.size(); ++i) trapezoids += (curve[i - 1] + curve[i]) / 2 * 0.01;
  const SequenceScores scores = score_sequence(boxes_in(golden, "pred"), boxes_in(golden, "gt"));
  CHECK(area_under_curve(scores.normalized_precision) == doctest::Approx(trapezoids / 0.5));
}
