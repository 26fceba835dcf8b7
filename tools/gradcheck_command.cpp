// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "tools/commands.hpp"
#include "tools/gradient_cases.hpp"
#include "tools/output.hpp"

namespace atomtrack::tools {
namespace {

struct GradcheckArguments {
  std::string op, json;
  std::string device = "cpu";
};

/// One row per argument and order: the worst over the gradients that a second order was taken of.
std::vector<ArgumentReport> summary(const GradientReport& report) {
  std::vector<ArgumentReport> rows;
  for (const ArgumentReport& entry : report.arguments) {
    const auto same = std::find_if(rows.begin(), rows.end(), [&](const ArgumentReport& row) {
      return row.argument == entry.argument && row.order == entry.order;
    });
    if (same == rows.end()) {
      rows.push_back(entry);
      continue;
    }
    same->max_absolute_error = std::max(same->max_absolute_error, entry.max_absolute_error);
    same->max_relative_error = std::max(same->max_relative_error, entry.max_relative_error);
    same->entries += entry.entries;
    same->passed = same->passed && entry.passed;
  }
  return rows;
}

void gradcheck(const std::string& op, Device device, const std::string& json, int& exit_status) {
  nlohmann::json rows = nlohmann::json::array();
  std::size_t checked = 0, failed = 0;
  std::vector<std::string> names;
  for (const GradientCase& gradient_case : gradient_cases(device)) {
    names.push_back(gradient_case.op);
    if (!op.empty() && gradient_case.op != op && !gradient_case.op.starts_with(op + " ") &&
        !gradient_case.op.starts_with(op + ","))
      continue;
    const GradientReport report = check(gradient_case);
    ++checked;
    failed += report.passed() ? 0 : 1;
    for (const ArgumentReport& row : summary(report)) {
      std::printf("%-34s %-28s order %d  %6lld entries  abs %.1e  rel %.1e  %s\n",
                  gradient_case.op.c_str(), row.argument.c_str(), row.order,
                  static_cast<long long>(row.entries), row.max_absolute_error,
                  row.max_relative_error, row.passed ? "ok" : "FAILED");
      rows.push_back({{"op", gradient_case.op},
                      {"argument", row.argument},
                      {"order", row.order},
                      {"max_absolute_error", row.max_absolute_error},
                      {"max_relative_error", row.max_relative_error},
                      {"passed", row.passed}});
    }
    if (!report.failure.empty()) {
      rows.push_back({{"op", gradient_case.op},
                      {"argument", ""},
                      {"order", 1},
                      {"max_absolute_error", nullptr},
                      {"max_relative_error", nullptr},
                      {"passed", false}});
    }
    if (!report.passed()) std::cout << report.table();
    if (report.kinks > 0)
      std::printf("%-34s %d points redrawn because a step crossed a kink\n",
                  gradient_case.op.c_str(), report.kinks);
  }
  if (checked == 0) {
    std::string known;
    for (const std::string& name : names) known += (known.empty() ? "" : "; ") + name;
    throw InputError("--op " + op + ": no such operation (known: " + known + ")");
  }
  std::printf("%zu operations checked, %zu failed\n", checked, failed);
  if (!json.empty()) write_text_file(json, rows.dump(1) + "\n");
  exit_status = failed == 0 ? 0 : 1;
}

}  // namespace

void add_gradcheck_command(CommandLine& line, int& exit_status) {
  auto request = std::make_shared<GradcheckArguments>();
  Arguments arguments = line.command(
      "gradcheck",
      "compare every derivative with a numeric one, in double; exit status 1 if one fails");
  arguments.text("--op", request->op, "only this operation", "NAME");
  arguments.text("--device", request->device, "where to compute: cpu, reference, cuda or cuda:N",
                 "NAME");
  arguments.text("--json", request->json, "write a row per operation, argument and order", "FILE");
  arguments.run([request, &exit_status] {
    gradcheck(request->op, parse_device(request->device), request->json, exit_status);
  });
}

}  // namespace atomtrack::tools
