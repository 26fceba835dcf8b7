// SPDX-License-Identifier: MIT
// The whole tracker on the demonstration's video, on the emulated device and on the CPU.
#include <doctest/doctest.h>

#include <algorithm>
#include <opencv2/core.hpp>

#include "atomtrack/image/box_overlap.hpp"
#include "atomtrack/opencv.hpp"
#include "cuda_on_host/faults.hpp"
#include "tools/frame_source.hpp"
#include "tracker/tracker_implementation.hpp"

using namespace atomtrack;

namespace {

constexpr Box first_box{306, 123, 108, 260};

std::vector<cv::Mat> video(int count) {
  const auto source = tools::open_source(ATOMTRACK_SOURCE_DIR "/examples/media/cup.mp4");
  std::vector<cv::Mat> frames(static_cast<std::size_t>(count));
  for (cv::Mat& frame : frames) REQUIRE(source->read(frame));
  return frames;
}

Tracker::Implementation tracker_on(Device device) {
  return {Model::load(ATOMTRACK_SOURCE_DIR "/weights/atomtrack.h5", device), Options::released()};
}

/// How often the host waited for the device since recording was started.
long waits() {
  const auto calls = cuda_on_host::recorded_calls();
  return std::count_if(calls.begin(), calls.end(), [](const cuda_on_host::ApiCall& call) {
    return call.function == "cudaStreamSynchronize" || call.function == "cudaEventSynchronize" ||
           call.function == "cudaMalloc" || call.function == "cudaFree";
  });
}

}  // namespace

TEST_CASE("from the same state, the emulated GPU and the CPU give the same box") {
  const std::vector<cv::Mat> frames = video(21);
  Tracker::Implementation cpu = tracker_on(Device::cpu()), gpu = tracker_on(Device::cuda(0));
  cpu.init(view(frames[0]), first_box);
  for (std::size_t i = 1; i < frames.size(); ++i) {
    CAPTURE(i);
    gpu.track.emplace(cpu.track->on(gpu.model));
    const Result expected = cpu.update(view(frames[i]));
    cuda_on_host::start_recording();
    const Result came = gpu.update(view(frames[i]));
    // For the score map and for the boxes, on which the host decides; until the classifier has
    // first been updated, in frame 10, memory is still being asked for.
    if (i > 10) CHECK(waits() <= 2);
    CHECK(came.state == expected.state);
    CHECK(came.score == doctest::Approx(expected.score).epsilon(1e-3));
    CHECK(std::abs(came.box.x - expected.box.x) < 0.01);
    CHECK(std::abs(came.box.y - expected.box.y) < 0.01);
    CHECK(std::abs(came.box.width - expected.box.width) < 0.01);
    CHECK(std::abs(came.box.height - expected.box.height) < 0.01);
  }
}

TEST_CASE("left to itself from the first frame on, the emulated GPU follows the CPU") {
  const std::vector<cv::Mat> frames = video(51);
  Tracker::Implementation cpu = tracker_on(Device::cpu()), gpu = tracker_on(Device::cuda(0));
  cpu.init(view(frames[0]), first_box);
  gpu.init(view(frames[0]), first_box);
  for (std::size_t i = 1; i < frames.size(); ++i) {
    CAPTURE(i);
    const Result expected = cpu.update(view(frames[i])), came = gpu.update(view(frames[i]));
    CHECK(came.state == expected.state);
    CHECK(intersection_over_union(came.box, expected.box) >= 0.95);
  }
}
