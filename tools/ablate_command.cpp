// SPDX-License-Identifier: MIT
#include <cstdio>
#include <iostream>
#include <sstream>

#include "atomtrack/datasets/annotations.hpp"
#include "atomtrack/datasets/benchmarks.hpp"
#include "atomtrack/opencv.hpp"
#include "atomtrack/tracker/convergence.hpp"
#include "evaluation/svg_plot.hpp"
#include "tools/commands.hpp"
#include "tools/evaluation.hpp"
#include "tools/evaluation_runner.hpp"
#include "tools/output.hpp"

namespace atomtrack::tools {
namespace {

struct AblateArguments {
  EvaluationRequest evaluation;
  std::vector<std::string> architectures;
};

/// Mean losses over problems that were solved by equal numbers of steps.
class MeanTrace {
 public:
  void add(const std::vector<LossPoint>& trace) {
    if (points_.empty()) points_.resize(trace.size());
    for (std::size_t i = 0; i < points_.size(); ++i) {
      points_[i].backprop_calls = trace[i].backprop_calls;
      points_[i].loss += trace[i].loss;
    }
    ++count_;
  }
  std::vector<LossPoint> mean() const {
    std::vector<LossPoint> result = points_;
    for (LossPoint& point : result) point.loss /= count_;
    return result;
  }

 private:
  std::vector<LossPoint> points_;
  int count_ = 0;
};

std::string csv_of(const std::vector<LossPoint>& trace, const std::string& method) {
  std::ostringstream text;
  for (const LossPoint& point : trace)
    text << method << "," << point.backprop_calls << "," << point.loss << "\n";
  return text.str();
}

Plot convergence_plot(const std::vector<LossPoint>& algorithm1,
                      const std::vector<LossPoint>& descent) {
  Plot plot{"Loss of the first frame (equation 3)", "BackProp calls", "loss", 1.0, 0.0, {}};
  for (const auto& [label, trace] :
       {std::pair{"Algorithm 1", &algorithm1}, std::pair{"gradient descent", &descent}}) {
    PlotSeries series{label, plot.series.size(), {}};
    for (const LossPoint& point : *trace) {
      series.points.emplace_back(point.backprop_calls, point.loss);
      plot.x_end = std::max(plot.x_end, static_cast<double>(point.backprop_calls));
      plot.y_end = std::max(plot.y_end, point.loss);
    }
    plot.series.push_back(std::move(series));
  }
  return plot;
}

/// Figure S3 on the first frames of the benchmark's sequences, once per seed.
void trace_convergence(const AblateArguments& arguments) {
  const EvaluationRequest& request = arguments.evaluation;
  const Benchmark benchmark =
      read_benchmark(request.root, parse_benchmark_layout(request.layout),
                     request.split.empty() ? request.sequences : read_lines(request.split));
  request.common.apply_threads();
  const Model model =
      Model::load(require_weights(request.common.weights), request.common.chosen_device());
  MeanTrace algorithm1, descent;
  for (const BenchmarkSequence& sequence : benchmark.sequences) {
    const cv::Mat frame = read_frame(sequence, 0);
    for (int seed = 0; seed < request.seeds; ++seed) {
      Options options = Options::released();
      options.seed = static_cast<std::uint64_t>(seed);
      const ConvergenceTrace trace =
          first_frame_convergence(model, options, view(frame), sequence.boxes.front());
      algorithm1.add(trace.algorithm1);
      descent.add(trace.gradient_descent);
    }
    std::cerr << "convergence: " << sequence.name << "\n";
  }
  const std::vector<LossPoint> a = algorithm1.mean(), d = descent.mean();
  write_text_file(
      request.output + "/convergence.csv",
      "method,backprop_calls,loss\n" + csv_of(a, "Algorithm 1") + csv_of(d, "gradient descent"));

  write_text_file(request.output + "/convergence.svg", svg_plot(convergence_plot(a, d)));
  std::printf(
      "loss of the first frame: %.4f at the start, %.4f after Algorithm 1 (%d BackProp "
      "calls), %.4f after gradient descent (%d)\n",
      a.front().loss, a.back().loss, a.back().backprop_calls, d.back().loss,
      d.back().backprop_calls);
}

}  // namespace

void add_ablate_command(CommandLine& line, int& exit_status) {
  auto request = std::make_shared<AblateArguments>();
  Arguments arguments = line.command(
      "ablate",
      "the paper's ablations on a benchmark: Table 2, figure S3 and, with weights, Table 1");
  request->evaluation.add_to(arguments);
  arguments.list("--architectures", request->architectures,
                 "weights of other IoU predictors (Table 1), e.g. baseline=baseline.h5",
                 "NAME=FILE,...");
  arguments.run([request, arguments, &exit_status] {
    EvaluationRequest& evaluation = request->evaluation;
    evaluation.only_report = arguments.given("--merge");
    evaluation.trackers = {"atom", "multi-scale", "no-classifier",
                           "gd",   "gd++",        "no-hard-negatives"};
    for (const std::string& entry : request->architectures) evaluation.trackers.push_back(entry);
    exit_status = evaluate(evaluation);
    if (evaluation.shard.empty()) trace_convergence(*request);
  });
}

}  // namespace atomtrack::tools
