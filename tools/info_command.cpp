// SPDX-License-Identifier: MIT
#include <iomanip>
#include <iostream>
#include <nlohmann/json.hpp>

#include "atomtrack/layers/iou_predictor.hpp"
#include "atomtrack/layers/resnet18.hpp"
#include "atomtrack/weights/weights_file.hpp"
#include "tools/commands.hpp"

namespace atomtrack::tools {
namespace {

struct Report {
  WeightsFile file;
  bool has_predictor = false;
  std::vector<std::string> damage;    // what makes the tracker refuse the file as it is
  std::vector<std::string> problems;  // what is missing or misshapen
  std::vector<std::string> unused;    // what tracking does not need
};

bool is_predictor(const std::string& architecture) {
  try {
    parse_iou_architecture(architecture);
    return true;
  } catch (const InputError&) {
    return false;
  }
}

/// The predictor of a weights file's architecture; with modulation if it names none.
IouPredictor<float> named_predictor(const std::string& architecture) {
  return is_predictor(architecture) ? IouPredictor<float>(parse_iou_architecture(architecture))
                                    : IouPredictor<float>();
}

Report examine(const std::string& path) {
  Report report;
  WeightsInspection inspection = inspect_weights(path);
  report.file = std::move(inspection.file);
  report.damage = std::move(inspection.damage);
  const WeightsMetadata& metadata = report.file.metadata;
  for (const auto& [name, tensor] : report.file.tensors)
    report.has_predictor |= name.starts_with("bb_regressor.");
  for (const std::string& name : inspection.unreadable)
    report.has_predictor |= name.starts_with("bb_regressor.");
  NamedShapes expected = expected_tensors(ResNet18<float>(), "feature_extractor");
  // Without the predictor a file is whole only where it says so.
  if (report.has_predictor || metadata.architecture != "backbone")
    expected.merge(expected_tensors(named_predictor(metadata.architecture), "bb_regressor"));
  for (const auto& [name, tensor] : report.file.tensors) {
    if (expected.count(name) == 0) report.unused.push_back(name);
  }
  for (const std::string& name : inspection.unreadable) expected.erase(name);  // listed already
  report.problems = mismatches(expected, report.file.tensors);
  const bool fits = report.has_predictor ? is_predictor(metadata.architecture)
                                         : metadata.architecture == "backbone";
  if (!fits) {
    report.problems.push_back(concatenate(
        "architecture '", metadata.architecture, "', expected ",
        report.has_predictor ? "that of an IoU predictor" : "'backbone'", " with these tensors"));
  }
  return report;
}

nlohmann::json to_json(const Report& report) {
  const WeightsMetadata& metadata = report.file.metadata;
  nlohmann::json tensors = nlohmann::json::object();
  for (const auto& [name, tensor] : report.file.tensors)
    tensors[name] = std::vector<std::int64_t>(tensor.shape().begin(), tensor.shape().end());
  return {{"architecture", metadata.architecture},
          {"batch_norm_folded", metadata.batch_norm_folded},
          {"mean", metadata.mean},
          {"deviation", metadata.deviation},
          {"provenance", metadata.provenance},
          {"iou_predictor", report.has_predictor},
          {"tensors", tensors},
          {"damage", report.damage},
          {"problems", report.problems},
          {"unused", report.unused}};
}

void print(const Report& report, const std::string& path) {
  const WeightsMetadata& metadata = report.file.metadata;
  std::int64_t numbers = 0;
  for (const auto& [name, tensor] : report.file.tensors) {
    std::cout << "  " << std::left << std::setw(52) << name << tensor.shape() << "\n";
    numbers += tensor.numel();
  }
  const auto three = [](const std::array<double, 3>& v) {
    return concatenate(v[0], ", ", v[1], ", ", v[2]);
  };
  std::cout << path << ": " << report.file.tensors.size() << " tensors, " << numbers << " numbers"
            << (report.damage.empty() ? ", all checksums right" : "") << "\n"
            << "  architecture   " << metadata.architecture
            << (report.has_predictor ? "" : " (no IoU predictor: multi-scale search only)") << "\n"
            << "  batch norm     " << (metadata.batch_norm_folded ? "folded" : "running statistics")
            << "\n"
            << "  normalisation  mean " << three(metadata.mean) << "; deviation "
            << three(metadata.deviation) << " (RGB in [0, 1])\n"
            << "  provenance     " << metadata.provenance << "\n";
  if (!report.unused.empty())
    std::cout << "  not needed for tracking: " << report.unused.size() << " tensors, "
              << report.unused.front() << " first\n";
  const auto list_all = [](const char* title, const std::vector<std::string>& lines) {
    if (lines.empty()) return;
    std::cout << title << ", " << lines.size() << (lines.size() == 1 ? " problem" : " problems")
              << ":\n";
    for (const std::string& line : lines) std::cout << "  " << line << "\n";
  };
  list_all("damaged", report.damage);
  list_all("does not fit the network", report.problems);
  if (report.problems.empty()) std::cout << "fits the network\n";
}

}  // namespace

void add_info_command(CommandLine& line, int& exit_status) {
  auto path = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  Arguments arguments = line.command("info",
                                     "print and check a weights file; exit status 1 if it does "
                                     "not fit the network, 2 if it is damaged");
  arguments.text("file", *path, "weights file", "FILE");
  arguments.require("file");
  arguments.flag("--json", *json, "print JSON");
  arguments.run([path, json, &exit_status] {
    const Report report = examine(*path);
    if (*json) {
      std::cout << to_json(report).dump(1, ' ', false, nlohmann::json::error_handler_t::replace)
                << "\n";
    } else {
      print(report, *path);
    }
    std::cout << std::flush;
    if (!report.damage.empty()) throw WeightsError(report.damage.front());
    exit_status = report.problems.empty() ? 0 : 1;
  });
}

}  // namespace atomtrack::tools
