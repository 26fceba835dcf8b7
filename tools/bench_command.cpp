// SPDX-License-Identifier: MIT
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <vector>

#include "atomtrack/primitives/primitives.hpp"
#include "atomtrack/tensor/random.hpp"
#include "atomtrack/tracker/online_classifier.hpp"
#include "tools/commands.hpp"
#include "tools/common_options.hpp"
#include "tools/output.hpp"
#include "tools/synthetic_video.hpp"

namespace atomtrack::tools {
namespace {

struct BenchArguments {
  std::string json;
  int frames = 60;
  int warm_up = 12;
  TrackerOptions tracker;
};

double percentile(std::vector<double> values, double share) {
  if (values.empty()) return 0.0;
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1,
                         static_cast<std::size_t>(share * static_cast<double>(values.size())))];
}

template <class F>
double milliseconds(F f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
      .count();
}

/// Updates of the filter with every slot of the memory filled, apart from a run: a run needs 250
/// frames to get there.
std::vector<double> time_updates(const Options& options, Device device, int repeats) {
  RandomSource random(2);
  const std::int64_t cells = options.crop_size / 16, samples = 30, channels = 256;
  Tensor<float> features(Shape{samples, channels, cells, cells}),
      labels(Shape{samples, 1, cells, cells});
  for (float& value : features.span()) value = static_cast<float>(random.normal());
  for (float& value : labels.span()) value = static_cast<float>(random.uniform());
  Options quick = options;
  quick.first_frame_n_gn = 1;
  quick.first_frame_n_cg = 1;
  OnlineClassifier classifier(features.to(device), labels.to(device), quick, random);
  const Tensor<float> sample = classifier.project(features.slice(0, 1).to(device));
  for (int i = 0; i < options.memory_size; ++i)
    classifier.remember(sample, labels.slice(i % samples, 1).to(device), false);
  std::vector<double> times;
  for (int i = 0; i < repeats + 2; ++i) {
    const double time = milliseconds([&] { classifier.update(options.update_n_cg); });
    if (i >= 2) times.push_back(time);
  }
  return times;
}

void bench(const BenchArguments& arguments) {
  arguments.tracker.apply_threads();
  Options options = arguments.tracker.options();
  options.target_not_found_threshold =
      -1.0;  // generated weights see no target; every frame shall be refined
  const Device device = arguments.tracker.chosen_device();
  const Model model = arguments.tracker.weights.empty()
                          ? Model::generated(0, device)
                          : Model::load(arguments.tracker.weights, device);
  Tracker tracker(model, options);
  SyntheticVideo video;

  std::vector<double> first_frame;
  for (int i = 0; i < 4; ++i) {
    const double time = tracker.init(video.frame(0), video.box(0)).milliseconds.total;
    if (i > 0) first_frame.push_back(time);  // the first one also prepares the network
  }
  struct Stage {
    const char* name;
    double StageTimes::*time;
    std::vector<double> values;
  };
  std::vector<Stage> stages{{"crop", &StageTimes::crop, {}},
                            {"features", &StageTimes::features, {}},
                            {"classify", &StageTimes::classify, {}},
                            {"refine", &StageTimes::refine, {}}};
  std::vector<double> frame;
  double sum = 0.0;
  for (int i = 1; i <= arguments.warm_up + arguments.frames; ++i) {
    const StageTimes times = tracker.update(video.frame(i)).milliseconds;
    if (i <= arguments.warm_up) continue;
    for (Stage& stage : stages) stage.values.push_back(times.*stage.time);
    frame.push_back(times.total);
    sum += times.total;
  }
  const double resident = resident_mb();
  stages.push_back({"update", nullptr, time_updates(options, device, 10)});
  stages.push_back({"first_frame", nullptr, first_frame});
  stages.push_back({"frame", nullptr, frame});

  const double mean = sum / static_cast<double>(std::max(1, arguments.frames));
  nlohmann::json document{{"stages", nlohmann::json::array()},
                          {"frame_mean_ms", mean},
                          {"resident_mb", resident},
                          {"threads", threads()}};
  std::printf("%-12s %12s %12s   (%d threads, %dx%d frames)\n", "stage", "median ms", "p95 ms",
              threads(), SyntheticVideo::width, SyntheticVideo::height);
  for (const Stage& stage : stages) {
    const double median = percentile(stage.values, 0.5), p95 = percentile(stage.values, 0.95);
    std::printf("%-12s %12.2f %12.2f\n", stage.name, median, p95);
    document["stages"].push_back({{"name", stage.name}, {"median_ms", median}, {"p95_ms", p95}});
  }
  std::printf("a frame, updates included: %.2f ms on average (%.1f frames/s); %.0f MiB resident\n",
              mean, 1000.0 / mean, resident);
  if (!arguments.json.empty()) write_text_file(arguments.json, document.dump(1) + "\n");
}

}  // namespace

void add_bench_command(CommandLine& line, int&) {
  auto request = std::make_shared<BenchArguments>();
  Arguments arguments = line.command(
      "bench", "time every stage of the tracker (on generated weights unless --weights is given)");
  request->tracker.add_to(arguments);
  arguments.number("--frames", request->frames, "frames to time, after a warm-up", 1, 100000);
  arguments.text("--json", request->json, "write the figures", "FILE");
  arguments.run([request] { bench(*request); });
}

}  // namespace atomtrack::tools
