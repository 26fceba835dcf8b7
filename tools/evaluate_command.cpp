// SPDX-License-Identifier: MIT
#include "tools/commands.hpp"
#include "tools/evaluation.hpp"

namespace atomtrack::tools {

void add_evaluate_command(CommandLine& line, int& exit_status) {
  auto request = std::make_shared<EvaluationRequest>();
  Arguments arguments =
      line.command("evaluate", "run trackers on a benchmark and compare them (docs/evaluation.md)");
  request->add_to(arguments);
  arguments.list("--trackers", request->trackers,
                 "atom, a preset, a variant, PRESET:VARIANT, csrt, kcf, mil, NAME=WEIGHTS.h5, or "
                 "NAME=FOLDER of box files",
                 "A,B,...");
  arguments.run([request, arguments, &exit_status] {
    request->only_report = arguments.given("--merge");
    exit_status = evaluate(*request);
  });
}

}  // namespace atomtrack::tools
