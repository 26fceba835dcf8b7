// SPDX-License-Identifier: MIT
// What surrounds the ascent of a box: into the crop, proposals, choice, and out again.
#include "tracker/box_estimator.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "atomtrack/tracker/box_refinement.hpp"
#include "support/goldens.hpp"

using namespace atomtrack;
using test::Golden;

TEST_CASE("a box goes into the crop, and comes out half a crop pixel further") {
  const RowCol sample{50, 60};
  const Box box = encode_box({50, 60}, {20, 40}, sample, 2.0, 288);
  CHECK(box.width == 20.0);
  CHECK(box.height == 10.0);
  CHECK(box.x + (box.width - 1) / 2 == 143.5);
  CHECK(box.y + (box.height - 1) / 2 == 143.5);
  const EstimatedBox back = decode_box(box, sample, 2.0, 288);
  CHECK(back.position.row == doctest::Approx(50 + 0.5 * 2.0));
  CHECK(back.position.col == doctest::Approx(60 + 0.5 * 2.0));
  CHECK(back.size.row == 20.0);
  CHECK(back.size.col == 40.0);
}

TEST_CASE("the recorded run's start boxes, means of the best three and decoding") {
  const Golden golden("trace.h5");
  const Options options;
  for (int i = 1; i <= 12; ++i) {
    const std::string frame = "frame" + std::to_string(100 + i).substr(1);
    CAPTURE(frame);
    const auto start = golden.tensor<double>(frame + "/init_boxes").to_vector();
    const Box first{start[0], start[1], start[2], start[3]};
    const double side = std::sqrt(first.width * first.height);
    for (std::size_t k = 4; k < start.size(); k += 4) {
      CHECK(std::abs(start[k] + start[k + 2] / 2 - first.x - first.width / 2) <=
            0.05 * side + 1e-3);
      CHECK(std::abs(start[k + 2] - first.width) <= 0.25 * side + 1e-3);
    }
    Box mean;
    double overlap = 0;
    REQUIRE(mean_of_best(golden.tensor<float>(frame + "/out_boxes"),
                         golden.tensor<float>(frame + "/out_iou"), options, mean, overlap));
    // The crop was cut at the previous frame's scale, which is that of the size found there.
    const std::string before = "frame" + std::to_string(100 + i - 1).substr(1);
    const double scale = i == 1 ? golden.attribute("init", "target_scale")
                                : golden.attribute(before, "target_scale");
    const EstimatedBox found = decode_box(mean, {0, 0}, scale, options.crop_size);
    const auto size = golden.tensor<double>(frame + "/target_sz").to_vector();
    CHECK(found.size.row == doctest::Approx(size[0]).epsilon(1e-5));
    CHECK(found.size.col == doctest::Approx(size[1]).epsilon(1e-5));
    // Around a whole-numbered position.
    const auto position = golden.tensor<double>(frame + "/pos_iounet").to_vector();
    const double row = position[0] - found.position.row, col = position[1] - found.position.col;
    CHECK(std::abs(row - std::nearbyint(row)) < 1e-3);
    CHECK(std::abs(col - std::nearbyint(col)) < 1e-3);
  }
}

TEST_CASE("proposals: the box itself, then noise in the order x, y, width, height") {
  Options options;
  options.proposals = 3;
  RandomSource random(0);
  const std::vector<double> draws{1.0, 0.0, 0.9, 0.1, 0.5, 0.5, 0.0, 0.5};
  random.replay(draws);
  const Box box{100, 50, 20, 45};  // side 30
  const auto proposals = propose_boxes(box, options, random);
  CHECK(random.replay_remaining() == 0);
  REQUIRE(proposals.size() == 3);
  CHECK(proposals[0] == box);
  CHECK(proposals[1].width == doctest::Approx(20 + 0.4 * 15));
  CHECK(proposals[1].height == doctest::Approx(45 - 0.4 * 15));
  CHECK(proposals[1].x + proposals[1].width / 2 == doctest::Approx(110 + 0.5 * 3));
  CHECK(proposals[1].y + proposals[1].height / 2 == doctest::Approx(72.5 - 0.5 * 3));
  CHECK(proposals[2].width == doctest::Approx(20 - 0.5 * 15));
  CHECK(proposals[2].y == doctest::Approx(50));

  options.proposal_size_noise = 10.0;  // no side falls below a third of the smaller one
  const std::vector<double> smallest{0.5, 0.5, 0.0, 0.0, 0.5, 0.5, 0.0, 0.0};
  random.replay(smallest);
  const auto small = propose_boxes(box, options, random);
  CHECK(small[1].width == doctest::Approx(20.0 / 3));
  CHECK(small[1].height == doctest::Approx(20.0 / 3));
}

TEST_CASE("the mean is of the best boxes of acceptable shape") {
  const Options options;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor<float> boxes(Shape{6, 4}, {0,   0,  10, 10,  // second
                                          3,   3,  70, 10,  // too long
                                          6,   0,  10, 10,  // first
                                          0,   9,  10, 10,  // third
                                          90,  90, 10, 10,  // fourth
                                          nan, 0,  10, 10});
  const Tensor<float> overlap(Shape{6}, {0.7F, 0.99F, 0.8F, 0.6F, 0.5F, 0.9F});
  Box mean;
  double predicted = 0;
  REQUIRE(mean_of_best(boxes, overlap, options, mean, predicted));
  CHECK(mean.x == doctest::Approx(2.0));
  CHECK(mean.y == doctest::Approx(3.0));
  CHECK(mean.width == doctest::Approx(10.0));
  CHECK(predicted == doctest::Approx(0.7));

  const Tensor<float> collapsed(Shape{2, 4}, {1, 1, -5, 0.5F, 2, 2, 40, 0.1F});
  const Tensor<float> any(Shape{2}, {0.1F, 0.9F});
  REQUIRE(mean_of_best(collapsed, any, options, mean, predicted));  // sides become one pixel
  CHECK(mean == Box{1, 1, 1, 1});
  const Tensor<float> thin(Shape{1, 4}, {1, 1, 60, 10});  // the bound itself is out
  const Tensor<float> one(Shape{1}, {0.9F});
  CHECK_FALSE(mean_of_best(thin, one, options, mean, predicted));
  CHECK(mean == Box{1, 1, 1, 1});
}
