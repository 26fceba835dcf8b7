// SPDX-License-Identifier: MIT
// A whole run of the tracker against one recorded from an independent implementation, with its
// random draws replayed.
#include <doctest/doctest.h>

#include "support/compare.hpp"
#include "support/conformance.hpp"
#include "support/goldens.hpp"
#include "support/hash_generator.hpp"
#include "tracker/tracker_implementation.hpp"

using namespace atomtrack;
using test::absolute_difference;
using test::Golden;
using test::relative_difference;

namespace {

constexpr int crop_size = 288;

Model hashed_model(Device device) {
  const std::string path = "trace_test_weights.h5";
  WeightsFile file;
  NamedShapes shapes = expected_tensors(ResNet18<float>(), "feature_extractor");
  shapes.merge(expected_tensors(IouPredictor<float>(), "bb_regressor"));
  for (const auto& [name, shape] : shapes)
    file.tensors.emplace(name, test::hashed_parameter(name, shape));
  write_weights(path, file);
  const Model model = Model::load(path, device);
  std::remove(path.c_str());
  return model;
}

/// The uniform numbers that lead to the recorded shifts, dropout masks and initial weights, in the
/// order in which they are drawn.
std::vector<double> first_frame_draws(const Golden& golden) {
  std::vector<double> draws;
  const auto shifts = golden.tensor<double>("init/shifts").to_vector();
  constexpr std::size_t unshifted = 5;  // the identity and the translations draw nothing
  for (std::size_t i = 2 * unshifted; i < shifts.size(); ++i) {
    const double inside =
        shifts[i] + (shifts[i] > 0   ? 0.5
                     : shifts[i] < 0 ? -0.5
                                     : 0.0);  // truncation leads back to the shift
    draws.push_back(inside / (crop_size / 3.0) + 0.5);
  }
  for (const double mask : golden.tensor<double>("init/dropout").to_vector())
    draws.push_back(mask > 0 ? 0.5 : 0.0);
  for (const char* name : {"init/proj0", "init/filter0"}) {
    const auto values = golden.tensor<double>(name).to_vector();
    draws.insert(draws.end(), values.begin(), values.end());
  }
  return draws;
}

/// The uniform numbers that lead to the recorded start boxes of a frame.
std::vector<double> proposal_draws(const Golden& golden, const std::string& frame) {
  const auto boxes = golden.tensor<double>(frame + "/init_boxes").to_vector();
  const double side = std::sqrt(boxes[2] * boxes[3]);
  std::vector<double> draws;
  for (std::size_t k = 1; k < boxes.size() / 4; ++k) {
    const double* box = boxes.data() + 4 * k;
    draws.push_back((box[0] + box[2] / 2 - boxes[0] - boxes[2] / 2) / (side * 0.1) + 0.5);
    draws.push_back((box[1] + box[3] / 2 - boxes[1] - boxes[3] / 2) / (side * 0.1) + 0.5);
    draws.push_back((box[2] - boxes[2]) / (side * 0.5) + 0.5);
    draws.push_back((box[3] - boxes[3]) / (side * 0.5) + 0.5);
  }
  return draws;
}

ImageView frame_view(const Tensor<std::uint8_t>& frames, std::int64_t index) {
  const auto height = frames.extent(1), width = frames.extent(2);
  return {frames.data() + index * height * width * 3, static_cast<int>(width),
          static_cast<int>(height), 0, PixelFormat::rgb8};
}

/// One run on `device`, checked frame by frame.
void check_run(Device device) {
  const Golden golden("trace.h5");
  const auto frames = golden.tensor<std::uint8_t>("frames");
  const auto truth = golden.tensor<double>("gt").to_vector();
  Options options;
  options.memory_size = 45;  // as recorded, to keep the run small
  Tracker::Implementation tracker(hashed_model(device), options);

  const auto draws = first_frame_draws(golden);
  tracker.random.replay(draws);
  tracker.init(frame_view(frames, 0), {truth[0], truth[1], truth[2], truth[3]});
  const Track& track = *tracker.track;
  CHECK(track.random.replay_remaining() == 0);
  CHECK(track.target.scale ==
        doctest::Approx(golden.attribute("init", "target_scale")).epsilon(1e-6));
  CHECK(track.label_sigma == doctest::Approx(golden.attributes("init", "sigma")[0]).epsilon(1e-6));
  CHECK(absolute_difference(track.classifier->memory().labels().slice(0, 30),
                            golden.tensor<float>("init/labels")) < 1e-5);
  CHECK(relative_difference(track.classifier->filter(), golden.tensor<float>("init/filter")) <
        5e-2);
  CHECK(relative_difference(track.classifier->projection(), golden.tensor<float>("init/proj")) <
        5e-2);

  for (int i = 1; i < static_cast<int>(frames.extent(0)); ++i) {
    const std::string frame = "frame" + std::to_string(100 + i).substr(1);
    CAPTURE(frame);
    tracker.track->random.replay(proposal_draws(golden, frame));
    const Result result = tracker.update(frame_view(frames, i));
    CHECK(track.random.replay_remaining() == 0);

    const std::string flag = golden.texts(frame, "flag")[0];
    CHECK(std::string(to_string(result.state)) == (flag == "None" ? "tracked" : flag));
    // After the hard negative of frame 8 the filter is updated by Conjugate Gradient, which
    // amplifies rounding.
    CHECK(result.score ==
          doctest::Approx(golden.attribute(frame, "max_score")).epsilon(i <= 8 ? 1e-3 : 5e-2));
    const auto box = golden.tensor<double>(frame + "/target_bbox").to_vector();
    CHECK(std::abs(result.box.x - box[0]) < 0.05);
    CHECK(std::abs(result.box.y - box[1]) < 0.05);
    CHECK(std::abs(result.box.width - box[2]) < 0.05);
    CHECK(std::abs(result.box.height - box[3]) < 0.05);
    CHECK(track.target.scale ==
          doctest::Approx(golden.attribute(frame, "target_scale")).epsilon(1e-3));
    CHECK(absolute_difference(track.classifier->memory().weights(),
                              golden.tensor<float>(frame + "/sample_weights")) < 1e-5);
    if (golden.has(frame + "/filter")) {
      CHECK(relative_difference(track.classifier->filter(),
                                golden.tensor<float>(frame + "/filter")) < 0.1);
    }
  }
}

}  // namespace

TEST_CASE("a whole run agrees with the recorded one") {
  for (const Device device : test::devices_under_test()) {
    if (device == Device::reference()) continue;  // its plain loops would take hours
    CAPTURE(device);
    check_run(device);
  }
}
