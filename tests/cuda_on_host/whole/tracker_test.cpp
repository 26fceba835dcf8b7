// SPDX-License-Identifier: MIT
// The whole tracker on the demonstration's video, on the emulated device and on the CPU.
#include <doctest/doctest.h>

#include <algorithm>
#include <opencv2/core.hpp>
#include <optional>
#include <set>
#include <span>
#include <thread>

#include "atomtrack/image/box_overlap.hpp"
#include "atomtrack/opencv.hpp"
#include "cuda_on_host/faults.hpp"
#include "cuda_on_host/streams.hpp"
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

Model model_on(Device device) {
  return Model::load(ATOMTRACK_SOURCE_DIR "/weights/atomtrack.h5", device);
}

Tracker::Implementation tracker_on(Device device) {
  return {model_on(device), Options::released()};
}

/// With a first frame of little work, enough for a few more.
Options quick() {
  Options options = Options::released();
  options.augment = false;
  options.first_frame_n_gn = 2;
  options.crop_size = 224;
  return options;
}

/// How often any of these was called since recording was started.
long calls_of(const std::set<std::string>& functions) {
  const auto calls = cuda_on_host::recorded_calls();
  return std::count_if(calls.begin(), calls.end(), [&](const cuda_on_host::ApiCall& call) {
    return functions.count(call.function) != 0;
  });
}

/// How often the host waited for the device since then.
long waits() {
  return calls_of({"cudaStreamSynchronize", "cudaEventSynchronize", "cudaMalloc", "cudaFree"});
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
    const Result expected = cpu.update(view(frames[i]));
    cuda_on_host::start_recording();
    const Result came = gpu.update(view(frames[i]));
    CHECK(came.state == expected.state);
    CHECK(intersection_over_union(came.box, expected.box) >= 0.95);
    // Features, classification and ascent are recorded in the second frame, the classifier's update
    // in its second, frame 20. What a warm frame launches by itself is copies, the crop, and how
    // the boxes are fetched.
    if (i > 20) CHECK(waits() <= 2);
    if (i > 2) CHECK(calls_of({"cudaGraphLaunch"}) == (i % 10 == 0 && i > 10 ? 4 : 3));
    if (i > 20) CHECK(cuda_on_host::recorded_calls().size() < 60);
  }
}

TEST_CASE("frames in device memory are read there, and give the same boxes") {
  const std::vector<cv::Mat> frames = video(4);
  const Model model = model_on(Device::cuda(0));
  Tracker from_host(model, quick()), from_device(model, quick());
  for (std::size_t i = 0; i < frames.size(); ++i) {
    CAPTURE(i);
    const ImageView here = view(frames[i]);
    const std::span<const std::uint8_t> bytes(frames[i].data, frames[i].total() * 3);
    const Tensor<std::uint8_t> memory(Shape{static_cast<std::int64_t>(bytes.size())}, bytes,
                                      Device::cuda(0));
    ImageView there = here;
    there.data = memory.data();
    there.device = Device::cuda(0);
    if (i == 0) {
      from_host.init(here, first_box);
      from_device.init(there, first_box);
      continue;
    }
    const Result expected = from_host.update(here);
    cuda_on_host::start_recording();
    CHECK(from_device.update(there).box == expected.box);
    CHECK(calls_of({"unpack_pixels"}) == 1);
  }
}

// From the same state, as above: once two score maps have their maxima in neighbouring cells, two
// trackers left to themselves go different ways.
TEST_CASE("coarser factors move a frame's box a little") {
  const std::vector<cv::Mat> frames = video(9);
  Options options = quick();
  Tracker::Implementation exact(model_on(Device::cuda(0)), options);
  options.feature_precision = Precision::tf32;
  Tracker::Implementation tf32(exact.model, options);
  options.feature_precision = Precision::half;
  Tracker::Implementation half(exact.model, options);
  exact.init(view(frames[0]), first_box);
  for (std::size_t i = 1; i < frames.size(); ++i) {
    CAPTURE(i);
    for (Tracker::Implementation* coarse : {&tf32, &half})
      coarse->track.emplace(exact.track->on(exact.model));
    const Box expected = exact.update(view(frames[i])).box;
    for (Tracker::Implementation* coarse : {&tf32, &half}) {
      const Result came = coarse->update(view(frames[i]));
      CHECK(came.state == State::tracked);
      CHECK(!(came.box == expected));
      CHECK(intersection_over_union(came.box, expected) > 0.995);
    }
  }
}

TEST_CASE("a tracker may go from thread to thread") {
  const std::vector<cv::Mat> frames = video(5);
  const Model model = model_on(Device::cuda(0));
  Options options = quick();
  options.update_interval = 1;  // so that every frame leaves work behind
  Tracker still(model, options), moved(model, options);
  cuda_on_host::set_lazy(true);
  still.init(view(frames[0]), first_box);
  moved.init(view(frames[0]), first_box);
  std::optional<Tracker> given_away(std::move(moved));
  for (std::size_t i = 1; i < frames.size(); ++i) {
    CAPTURE(i);
    const Result expected = still.update(view(frames[i]));
    Result came;
    const auto step = [&] { came = given_away->update(view(frames[i])); };
    if (i % 2 == 0) {
      step();
    } else {
      std::thread(step).join();
    }
    CHECK(came.box == expected.box);
  }
  std::thread([&] { given_away.reset(); }).join();
  cuda_on_host::set_lazy(false);
}
