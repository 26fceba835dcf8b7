// SPDX-License-Identifier: MIT
// The command `atomtrack`: one sub-command per file <name>_command.cpp.
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <opencv2/core/utils/logger.hpp>

#include "tools/commands.hpp"

namespace {

constexpr int failed = 2;

constexpr const char* examples = R"(Examples:
  atomtrack track video.mp4 --box 120,80,64,48 --video tracked.mp4
  atomtrack track frames/ --select --boxes boxes.txt --json run.json
  atomtrack evaluate sequences/ --trackers atom,multi-scale,csrt --output evaluation/
  atomtrack bench
  atomtrack info weights/atomtrack.h5
  atomtrack gradcheck --op prroi_pool

'atomtrack COMMAND --help' tells more.)";

int run(int argc, char** argv) {
  CLI::App app{
      "atomtrack follows one object, given by a box in the first frame, through a video (ATOM, "
      "CVPR 2019).",
      "atomtrack"};
  app.footer(examples);
  app.set_version_flag("--version", std::string("atomtrack ") + ATOMTRACK_VERSION);
  app.require_subcommand(1);
  int exit_status = 0;
  using namespace atomtrack::tools;
  add_track_command(app, exit_status);
  add_bench_command(app, exit_status);
  add_info_command(app, exit_status);
  add_evaluate_command(app, exit_status);
  add_ablate_command(app, exit_status);
  add_score_command(app, exit_status);
  add_selftest_command(app, exit_status);
  add_train_command(app, exit_status);
  add_trax_command(app, exit_status);
  add_gradcheck_command(app, exit_status);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& answer) {  // --help, --version
    return app.exit(answer);
  } catch (const CLI::ParseError& error) {
    std::cerr << "atomtrack: " << error.what() << " (see atomtrack --help)\n";
    return failed;
  }
  return exit_status;
}

/// Starts the program again with OMP_WAIT_POLICY=passive unless the user has chosen: OpenMP reads
/// it when it is loaded, before main. Threads that spin while they wait lose a factor of ten as
/// soon as somebody else wants a core (docs/benchmarks.md).
void wait_passively(char** argv) {
  if (getenv("OMP_WAIT_POLICY") != nullptr)
    return;  // NOLINT(concurrency-mt-unsafe): before any thread starts
  setenv("OMP_WAIT_POLICY", "passive", 1);  // NOLINT(concurrency-mt-unsafe)
  execv("/proc/self/exe", argv);            // where this fails, the program goes on as it is
}

}  // namespace

int main(int argc, char** argv) {
  wait_passively(argv);
  // OpenCV and FFmpeg print to stderr what we say better.
  cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
  setenv("OPENCV_FFMPEG_LOGLEVEL", "-8",
         0);  // NOLINT(concurrency-mt-unsafe): before any thread starts
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "atomtrack: " << error.what() << "\n";
    return failed;
  }
}
