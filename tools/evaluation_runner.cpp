// SPDX-License-Identifier: MIT
#include "tools/evaluation_runner.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <numeric>
#include <opencv2/core/utility.hpp>
#include <opencv2/imgcodecs.hpp>
#include <set>
#include <thread>

#include "atomtrack/primitives/primitives.hpp"
#include "tools/vot_experiment.hpp"

namespace atomtrack::tools {
namespace {

using Clock = std::chrono::steady_clock;

std::string title(const EvaluationTask& task) {
  return task.tracker->name + (task.supervised ? ", supervised" : "") + ", seed " +
         std::to_string(task.seed) + ", " + task.sequence->name;
}

/// One run in a process of its own: what it allocates or breaks concerns nobody else. Returns the
/// line to print; an empty one for a failure, whose reason is then in `failure`.
std::string make_run(const EvaluationTask& task, std::string& failure) {
  try {
    const SequenceRun run =
        (task.supervised ? run_supervised : run_sequence)(*task.tracker, *task.sequence, task.seed);
    task.store->write(task.tracker->name, task.seed, task.sequence->name, run);
    const double seconds = std::accumulate(run.seconds.begin(), run.seconds.end(), 0.0);
    char text[64];
    std::snprintf(text, sizeof(text), "%zu frames, %.1f frames/s", run.boxes.size(),
                  seconds > 0.0 ? static_cast<double>(run.boxes.size()) / seconds : 0.0);
    return text;
  } catch (const std::exception& error) {
    failure = error.what();
    std::replace(failure.begin(), failure.end(), '\n', ' ');
    return "";
  }
}

/// A process that is making a run, and the pipe on which it says how that went.
struct Child {
  pid_t process = 0;
  int answer = -1;
  const EvaluationTask* task = nullptr;
};

constexpr char done_mark = '+', failed_mark = '-';

Child start_run(const EvaluationTask& task, int threads) {
  int ends[2];
  require<Error>(pipe(ends) == 0, "no pipe for a process of the evaluation");
  std::cout.flush();
  const pid_t process = fork();
  require<Error>(process >= 0, "no process could be started for the evaluation");
  if (process == 0) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);  // it ends with whoever asked for it
    close(ends[0]);
    set_threads(threads);
    cv::setNumThreads(threads);
    std::string failure;
    const std::string line = make_run(task, failure);
    const std::string answer = failure.empty() ? done_mark + line : failed_mark + failure;
    const auto written = write(ends[1], answer.data(), answer.size());
    _exit(written == static_cast<ssize_t>(answer.size()) ? 0 : 1);  // without the parent's buffers
  }
  close(ends[1]);
  return {process, ends[0], &task};
}

/// Loads what the runs have in common, once. OpenMP's threads do not survive a fork, so none is
/// started here.
void prepare(const std::vector<EvaluationTask>& tasks) {
  const int before = threads();
  set_threads(1);
  std::set<const TrackerEntry*> prepared;
  for (const EvaluationTask& task : tasks) {
    if (task.tracker->prepare && prepared.insert(task.tracker).second) task.tracker->prepare();
  }
  set_threads(before);
}

/// Waits for a process to end; what it said.
std::string answer_of(const Child& child) {
  std::string answer;
  char part[512];
  for (ssize_t count = 0; (count = read(child.answer, part, sizeof(part))) > 0;)
    answer.append(part, static_cast<std::size_t>(count));
  close(child.answer);
  return answer;
}

}  // namespace

cv::Mat read_frame(const BenchmarkSequence& sequence, std::size_t index) {
  const std::string path = sequence.frames.path(index);
  cv::Mat frame = cv::imread(path, cv::IMREAD_COLOR);
  require<InputError>(!frame.empty(), path, ": cannot be read as an image");
  return frame;
}

SequenceRun run_sequence(const TrackerEntry& entry, const BenchmarkSequence& sequence, int seed) {
  SequenceRun run;
  const auto tracker = entry.make(static_cast<std::uint64_t>(seed));
  for (std::size_t i = 0; i < sequence.frames.size(); ++i) {
    const cv::Mat frame = read_frame(sequence, i);
    const auto start = Clock::now();
    run.boxes.push_back(i == 0 ? tracker->init(frame, sequence.boxes.front())
                               : tracker->update(frame));
    run.seconds.push_back(std::chrono::duration<double>(Clock::now() - start).count());
  }
  run.memory_mb = peak_resident_mb();
  return run;
}

std::vector<std::string> run_tasks(const std::vector<EvaluationTask>& tasks, int jobs,
                                   int threads) {
  const auto most = static_cast<std::size_t>(std::max(1, jobs));
  const int cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  const int each = threads > 0 ? threads : std::max(1, cores / std::max(1, jobs));
  prepare(tasks);
  std::vector<std::string> failures;
  std::vector<Child> running;
  std::size_t next = 0, finished = 0;
  while (next < tasks.size() || !running.empty()) {
    while (running.size() < most && next < tasks.size())
      running.push_back(start_run(tasks[next++], each));
    int status = 0;
    const pid_t ended = wait(&status);
    const auto child = std::find_if(running.begin(), running.end(),
                                    [&](const Child& c) { return c.process == ended; });
    if (child == running.end()) continue;
    std::string answer = answer_of(*child);
    if (answer.empty())
      answer = failed_mark +
               concatenate("its process ended with ", WIFSIGNALED(status) ? "signal " : "status ",
                           WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    const bool failed = answer.front() == failed_mark;
    const std::string line =
        title(*child->task) + (failed ? ": failed: " : ": ") + answer.substr(1);
    if (failed) failures.push_back(line);
    std::cerr << concatenate("[", ++finished, "/", tasks.size(), "] ", line, "\n");
    running.erase(child);
  }
  return failures;
}

}  // namespace atomtrack::tools
