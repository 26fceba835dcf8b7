// SPDX-License-Identifier: MIT
#include "atomtrack/evaluation/metrics.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>

#include "atomtrack/tensor/error.hpp"
#include "support/goldens.hpp"

using namespace atomtrack;
using test::Golden;

namespace {

std::vector<Box> boxes_in(const Golden& golden, const std::string& path) {
  const auto values = golden.tensor<double>(path).to_vector();
  std::vector<Box> boxes;
  for (std::size_t i = 0; i < values.size(); i += 4)
    boxes.push_back({values[i], values[i + 1], values[i + 2], values[i + 3]});
  return boxes;
}

void check_close(const std::vector<double>& ours, const std::vector<double>& theirs) {
  REQUIRE(ours.size() == theirs.size());
  for (std::size_t i = 0; i < ours.size(); ++i) {
    CAPTURE(i);
    if (std::isfinite(theirs[i])) {
      CHECK(ours[i] == doctest::Approx(theirs[i]).epsilon(1e-9));
    } else {
      CHECK(!std::isfinite(ours[i]));
    }
  }
}

}  // namespace

TEST_CASE("scores of a sequence agree with the goldens") {
  const Golden golden("metrics.h5");
  const SequenceScores scores =
      score_sequence(boxes_in(golden, "pred"), boxes_in(golden, "gt"),
                     static_cast<int>(golden.attribute("/", "num_thresholds")));
  check_close(scores.overlaps, golden.tensor<double>("overlap").to_vector());
  check_close(scores.centre_errors, golden.tensor<double>("err_center").to_vector());
  check_close(scores.normalized_errors, golden.tensor<double>("err_center_norm").to_vector());
  check_close(scores.success, golden.tensor<double>("success").to_vector());
  check_close(scores.precision, golden.tensor<double>("precision").to_vector());
  check_close(scores.normalized_precision, golden.tensor<double>("norm_precision").to_vector());
  CHECK(100 * scores.auc == doctest::Approx(golden.attribute("/", "auc_percent")));
  CHECK(100 * scores.precision20 == doctest::Approx(golden.attribute("/", "precision20_percent")));
  CHECK(100 * scores.normalized_precision20 ==
        doctest::Approx(golden.attribute("/", "norm_precision020_percent")));
  CHECK(scores.mean_overlap == doctest::Approx(golden.attribute("/", "mean_overlap_valid")));
}

TEST_CASE("the overlap trained for agrees with the goldens") {
  const Golden golden("metrics.h5");
  const auto boxes = boxes_in(golden, "train_iou/boxes");
  const Box reference = boxes_in(golden, "train_iou/ref")[0];
  const auto expected = golden.tensor<double>("train_iou/iou").to_vector();
  for (std::size_t i = 0; i < boxes.size(); ++i)
    CHECK(rectangle_overlap(boxes[i], reference) == doctest::Approx(expected[i]).epsilon(1e-6));
}

TEST_CASE("rectangles of a rotated box agree with the goldens") {
  const Golden golden("metrics.h5");
  const auto polygon = golden.tensor<double>("vot_rect/poly").to_vector();
  std::array<double, 8> corners{};
  std::copy(polygon.begin(), polygon.end(), corners.begin());
  const auto compare = [&](const Box& box, const char* name) {
    const auto expected = golden.tensor<double>(std::string("vot_rect/") + name).to_vector();
    CHECK(box.x == doctest::Approx(expected[0]).epsilon(1e-6));
    CHECK(box.y == doctest::Approx(expected[1]).epsilon(1e-6));
    CHECK(box.width == doctest::Approx(expected[2]).epsilon(1e-6));
    CHECK(box.height == doctest::Approx(expected[3]).epsilon(1e-6));
  };
  compare(rectangle_of_equal_area(corners), "preserve_area");
  compare(rectangle_around(corners), "union");
}

TEST_CASE("missing and empty predictions are completed, and too many are refused") {
  const std::vector<Box> truth{{10, 10, 20, 20}, {10, 10, 20, 20}, {10, 10, 20, 20}};
  const std::vector<Box> empty_second{{0, 0, 1, 1}, {0, 0, 0, 0}};
  const SequenceScores scores = score_sequence(empty_second, truth);
  CHECK(scores.overlaps[0] == 1.0);  // the annotation itself
  CHECK(scores.overlaps[1] == 1.0);  // repeated
  CHECK(scores.overlaps[2] == 0.0);  // a run that ended early has no box here
  CHECK(scores.auc == doctest::Approx(2.0 / 3.0 * 20 / 21));  // no overlap exceeds 1
  const std::vector<Box> four(4, truth[0]);
  CHECK_THROWS_AS(score_sequence(four, truth), InputError);
  CHECK_THROWS_AS(score_sequence({}, truth), InputError);
  const std::vector<Box> lost{truth[0], {std::nan(""), 10, 20, 20}};
  CHECK_THROWS_AS(score_sequence(lost, truth), InputError);
}

TEST_CASE("frames without a valid annotation count in the shares and not in the mean overlap") {
  const Box box{10, 10, 20, 20};
  const double nan = std::nan("");
  const std::vector<Box> truth{box, {nan, nan, nan, nan}, {0, 10, 20, 20}, box};
  const SequenceScores scores = score_sequence(std::vector<Box>(4, box), truth);
  CHECK(scores.frames == 4);
  CHECK(scores.valid_frames == 2);
  CHECK(scores.overlaps[1] == -1.0);
  CHECK(scores.overlaps[2] == -1.0);
  CHECK(std::isinf(scores.centre_errors[1]));
  CHECK(scores.op50 == 0.5);
  CHECK(scores.precision20 == 0.5);
  CHECK(scores.mean_overlap == 1.0);
}

TEST_CASE("overlap, by hand") {
  CHECK(overlap({0, 0, 10, 10}, {5, 0, 10, 10}) == doctest::Approx(50.0 / 150));
  CHECK(overlap({0, 0, 10, 10}, {10, 0, 10, 10}) == 0.0);  // side by side
  CHECK(overlap({0, 0, 10, 10}, {30, 30, 10, 10}) == 0.0);
  CHECK(overlap({2, 3, 4, 5}, {2, 3, 4, 5}) == 1.0);
  CHECK(overlap({0, 0, 0, 0}, {0, 0, 0, 0}) == 0.0);
  const std::array<double, 8> flat{1, 1, 5, 1, 5, 1, 1, 1};
  CHECK_THROWS_AS(rectangle_of_equal_area(flat), InputError);
}
