// SPDX-License-Identifier: MIT
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <sstream>

#include "atomtrack/image/box_overlap.hpp"
#include "atomtrack/primitives/hardware.hpp"
#include "atomtrack/primitives/primitives.hpp"
#include "atomtrack/tensor/memory.hpp"
#include "atomtrack/tensor/recording.hpp"
#include "tools/commands.hpp"
#include "tools/common_options.hpp"
#include "tools/output.hpp"
#include "tools/selftest_checks.hpp"
#include "tools/selftest_roofline.hpp"
#include "tools/synthetic_video.hpp"

namespace atomtrack::tools {
namespace {

using Json = nlohmann::json;

struct SelftestArguments {
  std::string report;
  int memory_frames = 1000;
  TrackerOptions tracker;
};

/// One part of the test: its verdict in a line, its figures for the report.
struct Part {
  explicit Part(std::string called, bool succeeded = true)
      : name(std::move(called)), passed(succeeded) {}
  std::string name;
  bool passed;
  std::string line;
  Json figures = Json::object();
};

std::string text(const char* format, auto... values) {
  char buffer[256];
  std::snprintf(buffer, sizeof(buffer), format, values...);
  return buffer;
}

Part comparisons_part(const std::string& name, const std::vector<Comparison>& comparisons) {
  Part part{name};
  const Comparison* worst = nullptr;
  for (const Comparison& one : comparisons) {
    part.passed = part.passed && one.passed();
    if (worst == nullptr || !one.passed() || one.error > worst->error) worst = &one;
    part.figures[one.name] = {{"error", one.error}, {"allowed", one.allowed}};
  }
  part.line = text("%zu compared; the largest error, %.1e, in %s", comparisons.size(), worst->error,
                   worst->name.c_str());
  return part;
}

std::vector<Box> tracked_boxes(const Model& model, const Options& options, int frames) {
  Tracker tracker(model, options);
  SyntheticVideo video;
  tracker.init(video.frame(0), video.box(0));
  std::vector<Box> boxes;
  for (int i = 1; i <= frames; ++i) boxes.push_back(tracker.update(video.frame(i)).box);
  return boxes;
}

/// A product of matrices again and again, as a tracker repeats its work: does it follow what it is
/// given, and was it recorded?
Part repetition_part(Device device) {
  constexpr int size = 64, runs = 6;
  Primitives<float>& primitives = primitives_for<float>(device);
  Tensor<float> a(Shape{size, size}, device);
  const auto ones = Tensor<float>::full(a.shape(), 1.0F, device);
  Tensor<float> product;
  Recording recording(device);
  int wrong = 0;
  for (int run = 1; run <= runs; ++run) {
    primitives.fill(static_cast<float>(run), a);
    recording.run({a.data()}, [&] {
      product = Tensor<float>(a.shape(), device);
      primitives.gemm(false, false, a, ones, Write::overwrite, product);
    });
    for (const float value : product.to_vector()) wrong += value == size * run ? 0 : 1;
  }
  Part part{"repeated work", wrong == 0};
  part.line = text("%d runs, %d wrong values; %s", runs, wrong,
                   recording.recorded() ? "recorded as a graph" : "done afresh each time");
  part.figures = {{"runs", runs}, {"wrong", wrong}, {"recorded", recording.recorded()}};
  return part;
}

Part tracker_part(const Model& model, const Model& on_cpu, const Options& options) {
  constexpr int frames = 20;
  // Its seven bits move the boxes further with every frame; what is wrong loses the target.
  const double least_overlap = options.feature_precision == Precision::bfloat16 ? 0.8 : 0.95;
  const std::vector<Box> here = tracked_boxes(model, options, frames);
  Options exact = options;
  exact.feature_precision = Precision::full;
  const std::vector<Box> there = tracked_boxes(on_cpu, exact, frames);
  double lowest = 1.0;
  for (std::size_t i = 0; i < here.size(); ++i)
    lowest = std::min(lowest, intersection_over_union(here[i], there[i]));
  Part part{"tracker against the CPU", lowest >= least_overlap};
  part.line = text("%d frames, lowest overlap of the boxes %.4f", frames, lowest);
  part.figures = {{"frames", frames}, {"lowest_overlap", lowest}};
  return part;
}

Part determinism_part(const Model& model, const Options& options) {
  constexpr int runs = 10, frames = 6;
  const std::vector<Box> first = tracked_boxes(model, options, frames);
  int different = 0;
  for (int run = 1; run < runs; ++run)
    different += tracked_boxes(model, options, frames) == first ? 0 : 1;
  Part part{"determinism", different == 0};
  part.line =
      text("%d runs of %d frames, %d of them different from the first", runs, frames, different);
  part.figures = {{"runs", runs}, {"different", different}};
  return part;
}

double quantile(std::vector<double> values, double share) {
  const auto rank = static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + rank, values.end());
  return values[static_cast<std::size_t>(rank)];
}

double median(const std::vector<double>& values) {
  return quantile(values, 0.5);
}

/// Memory over many frames, and the times of the stages on the way.
std::vector<Part> long_run_parts(const Model& model, const Options& options, int frames) {
  constexpr int warm_up = 30;
  Tracker tracker(model, options);
  SyntheticVideo video;
  tracker.init(video.frame(0), video.box(0));
  struct Stage {
    const char* name;
    double StageTimes::*time;
    std::vector<double> values;
  };
  std::vector<Stage> stages{
      {"crop", &StageTimes::crop, {}},         {"features", &StageTimes::features, {}},
      {"classify", &StageTimes::classify, {}}, {"refine", &StageTimes::refine, {}},
      {"update", &StageTimes::update, {}},     {"total", &StageTimes::total, {}}};
  PoolStatistics warm;
  for (int i = 1; i <= warm_up + frames; ++i) {
    const StageTimes times = tracker.update(video.frame(i)).milliseconds;
    if (i == warm_up) warm = pool_statistics(model.device());
    if (i <= warm_up) continue;
    for (Stage& stage : stages) stage.values.push_back(times.*stage.time);
  }
  const PoolStatistics after = pool_statistics(model.device());
  const std::uint64_t taken = after.system_allocations - warm.system_allocations;

  Part memory{"memory", taken == 0 && after.in_use <= warm.in_use};
  memory.line =
      text("%d frames took %llu new blocks from the system; %.0f MiB in use", frames,
           static_cast<unsigned long long>(taken), static_cast<double>(after.in_use) / 1048576.0);
  memory.figures = {{"frames", frames}, {"allocations", taken}, {"bytes_in_use", after.in_use}};
  Part time{"times"};
  for (const Stage& stage : stages) {
    time.figures[std::string(stage.name) + "_median_ms"] = median(stage.values);
    time.line += text("%s%s %.2f", time.line.empty() ? "median ms: " : ", ", stage.name,
                      median(stage.values));
  }
  Part roofline{"roofline"};
  const Roofline ceilings = measure_roofline(model.device());
  roofline.line =
      text("%.0f GFLOP/s, %.0f GB/s measured", ceilings.operations / 1e9, ceilings.bytes / 1e9);
  roofline.figures = {{"operations_per_second", ceilings.operations},
                      {"bytes_per_second", ceilings.bytes}};
  for (const StageWork& work : stage_work()) {
    const auto stage = std::find_if(stages.begin(), stages.end(),
                                    [&](const Stage& s) { return s.name == work.stage; });
    // The classifier is updated in every tenth frame.
    const double took = quantile(stage->values, work.stage == "update" ? 0.95 : 0.5);
    const double floor = work.floor(ceilings);
    roofline.figures[work.stage] = {{"floor_ms", floor}, {"took_ms", took}};
    if (work.stage == "features" && options.feature_precision != Precision::full) {
      roofline.line += "; features not compared, for the ceiling is that of floats";
      continue;
    }
    roofline.line += text("; %s %.0f %% of it", work.stage.c_str(), 100 * floor / took);
  }
  return {memory, time, roofline};
}

void selftest(const SelftestArguments& arguments, int& exit_status) {
  arguments.tracker.apply_threads();
  Options options = arguments.tracker.options();
  options.target_not_found_threshold = -1.0;  // every frame shall be refined
  const Device device = arguments.tracker.chosen_device();
  std::ostringstream name;
  name << device;
  Json report{{"device", name.str()},
              {"hardware", hardware(device)},
              {"version", ATOMTRACK_VERSION},
              {"host_threads", threads()},
              {"parts", Json::array()}};
  bool passed = true;
  const auto add = [&](const Part& part) {
    std::printf("%-26s %-6s %s\n", part.name.c_str(), part.passed ? "ok" : "FAILED",
                part.line.c_str());
    std::fflush(stdout);
    report["parts"].push_back({{"name", part.name},
                               {"passed", part.passed},
                               {"verdict", part.line},
                               {"figures", part.figures}});
    passed = passed && part.passed;
  };
  std::printf("atomtrack %s on %s, %d host threads\n%s\n", ATOMTRACK_VERSION, name.str().c_str(),
              threads(), hardware(device).c_str());
  add(comparisons_part("primitives", compare_primitives(device)));
  add(comparisons_part("gradients", compare_gradients(device)));
  add(repetition_part(device));
  const std::string weights = find_weights(arguments.tracker.weights);
  const auto model_on = [&](Device where) {
    return weights.empty() ? Model::generated(0, where) : Model::load(weights, where);
  };
  const Model model = model_on(device);
  add(tracker_part(model, device == Device::cpu() ? model : model_on(Device::cpu()), options));
  add(determinism_part(model, options));
  for (const Part& part : long_run_parts(model, options, arguments.memory_frames)) add(part);
  report["passed"] = passed;
  std::printf("%s\n", passed ? "all parts passed" : "FAILED: see above");
  if (!arguments.report.empty()) write_text_file(arguments.report, report.dump(1) + "\n");
  exit_status = passed ? 0 : 1;
}

}  // namespace

void add_selftest_command(CommandLine& line, int& exit_status) {
  auto request = std::make_shared<SelftestArguments>();
  Arguments arguments = line.command(
      "selftest", "check a device: its numbers, the tracker on it, its memory and times");
  request->tracker.add_to(arguments);
  arguments.text("--report", request->report, "write all figures as JSON", "FILE");
  arguments.number("--frames", request->memory_frames, "frames of the long run", 1, 1000000);
  arguments.run([request, &exit_status] { selftest(*request, exit_status); });
}

}  // namespace atomtrack::tools
