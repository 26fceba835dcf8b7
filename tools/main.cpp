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
  using namespace atomtrack::tools;
  CommandLine line(
      "atomtrack follows one object, given by a box in the first frame, through a video (ATOM, "
      "CVPR 2019).",
      examples, std::string("atomtrack ") + ATOMTRACK_VERSION);
  int exit_status = 0;
  add_track_command(line, exit_status);
  add_bench_command(line, exit_status);
  add_info_command(line, exit_status);
  add_evaluate_command(line, exit_status);
  add_ablate_command(line, exit_status);
  add_score_command(line, exit_status);
  add_selftest_command(line, exit_status);
  add_train_command(line, exit_status);
  add_trax_command(line, exit_status);
  add_gradcheck_command(line, exit_status);
  line.parse(argc, argv);
  return exit_status;
}

/// Starts the program again with a way for OpenMP's threads to wait, which it reads when it is
/// loaded, before main: briefly awake, then asleep. Threads that stay awake lose a factor of ten as
/// soon as somebody else wants a core, and those that never are lose a sixth when nobody does
/// (docs/benchmarks.md). What the user has chosen stays.
void wait_briefly(char** argv) {
  // NOLINTBEGIN(concurrency-mt-unsafe): before any thread starts
  if (getenv("OMP_WAIT_POLICY") != nullptr || getenv("GOMP_SPINCOUNT") != nullptr) return;
  setenv("OMP_WAIT_POLICY", "passive", 1);
  setenv("GOMP_SPINCOUNT", "2000", 1);
  // NOLINTEND(concurrency-mt-unsafe)
  execv("/proc/self/exe", argv);  // where this fails, the program goes on as it is
}

}  // namespace

int main(int argc, char** argv) {
  wait_briefly(argv);
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
