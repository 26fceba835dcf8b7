// SPDX-License-Identifier: MIT
#include "tools/commands.hpp"
#include "tools/evaluation.hpp"

namespace atomtrack::tools {

void add_evaluate_command(CLI::App& app, int& exit_status) {
  auto request = std::make_shared<EvaluationRequest>();
  CLI::App* command = app.add_subcommand(
      "evaluate", "run trackers on a benchmark and compare them (docs/evaluation.md)");
  request->add_to(*command);
  command
      ->add_option("--trackers", request->trackers,
                   "atom, a preset, a variant, PRESET:VARIANT, csrt, kcf, mil, NAME=WEIGHTS.h5, or "
                   "NAME=FOLDER of box files")
      ->delimiter(',')
      ->type_name("A,B,...")
      ->capture_default_str();
  command->callback([request, command, &exit_status] {
    request->only_report = command->count("--merge") > 0;
    exit_status = evaluate(*request);
  });
}

}  // namespace atomtrack::tools
