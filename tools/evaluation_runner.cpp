// SPDX-License-Identifier: MIT
#include "tools/evaluation_runner.hpp"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <new>
#include <opencv2/core/utility.hpp>
#include <opencv2/imgcodecs.hpp>
#include <thread>

#include "atomtrack/primitives/primitives.hpp"
#include "tools/output.hpp"

namespace atomtrack::tools {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int no_task = -1;
constexpr int most_workers = 256;

/// What the processes share: which task is next, and which each of them is at.
struct Board {
  std::atomic<int> next{0};
  std::atomic<int> finished{0};
  std::atomic<int> at[most_workers];
};

/// A Board in memory that child processes see.
class SharedBoard {
 public:
  SharedBoard() {
    memory_ =
        mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    require<Error>(memory_ != MAP_FAILED, "no shared memory for the processes of an evaluation");
    board_ = new (memory_) Board;
    for (auto& task : board_->at) task = no_task;
  }
  ~SharedBoard() { munmap(memory_, sizeof(Board)); }
  SharedBoard(const SharedBoard&) = delete;
  SharedBoard& operator=(const SharedBoard&) = delete;
  Board& operator*() const { return *board_; }

 private:
  void* memory_;
  Board* board_;
};

/// Lets the kernel count the peak of resident memory from here on; where it does not, the peak is
/// the process's.
void forget_peak_memory() {
  std::ofstream("/proc/self/clear_refs") << "5";
}

double peak_memory_mb() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) / 1024.0;
  }
  return 0.0;
}

std::string title(const EvaluationTask& task) {
  return task.tracker->name + ", seed " + std::to_string(task.seed) + ", " + task.sequence->name;
}

/// A file of failures that every process appends whole lines to.
class FailureLog {
 public:
  FailureLog() : file_(std::tmpfile()) {
    require<Error>(file_ != nullptr, "no temporary file for the failures of an evaluation");
  }
  ~FailureLog() { std::fclose(file_); }
  FailureLog(const FailureLog&) = delete;
  FailureLog& operator=(const FailureLog&) = delete;

  void add(std::string line) const {
    std::replace(line.begin(), line.end(), '\n', ' ');
    line += "\n";
    const auto written = ::write(fileno(file_), line.data(), line.size());
    static_cast<void>(written);  // a full disk is said where results are written
  }
  std::vector<std::string> lines() const {
    std::rewind(file_);
    std::vector<std::string> result;
    std::string line;
    for (int c = std::fgetc(file_); c != EOF; c = std::fgetc(file_)) {
      if (c != '\n') {
        line.push_back(static_cast<char>(c));
      } else {
        result.push_back(std::move(line));
        line.clear();
      }
    }
    return result;
  }

 private:
  std::FILE* file_;
};

/// Takes tasks until there are none. Runs in a process of its own.
void work(const std::vector<EvaluationTask>& tasks, const ResultStore& store, Board& board,
          int worker, const FailureLog& failures) {
  for (;;) {
    const int number = board.next++;
    if (number >= static_cast<int>(tasks.size())) break;
    board.at[worker] = number;
    const EvaluationTask& task = tasks[static_cast<std::size_t>(number)];
    std::string line;
    try {
      const SequenceRun run = run_sequence(*task.tracker, *task.sequence, task.seed);
      store.write(task.tracker->name, task.seed, task.sequence->name, run);
      double seconds = 0.0;
      for (const double s : run.seconds) seconds += s;
      char rate[48];
      std::snprintf(rate, sizeof(rate), "%zu frames, %.1f frames/s", run.boxes.size(),
                    seconds > 0.0 ? static_cast<double>(run.boxes.size()) / seconds : 0.0);
      line = title(task) + ": " + rate;
    } catch (const std::exception& error) {
      line = title(task) + ": failed: " + error.what();
      failures.add(line);
    }
    board.at[worker] = no_task;
    std::cerr << "[" + std::to_string(++board.finished) + "/" + std::to_string(tasks.size()) +
                     "] " + line + "\n";
  }
}

}  // namespace

SequenceRun run_sequence(const TrackerEntry& entry, const BenchmarkSequence& sequence, int seed) {
  SequenceRun run;
  forget_peak_memory();
  const auto tracker = entry.make(static_cast<std::uint64_t>(seed));
  for (std::size_t i = 0; i < sequence.frames.size(); ++i) {
    const std::string path = sequence.frames.path(i);
    const cv::Mat frame = cv::imread(path, cv::IMREAD_COLOR);
    require<InputError>(!frame.empty(), path, ": cannot be read as an image");
    const auto start = Clock::now();
    run.boxes.push_back(i == 0 ? tracker->init(frame, sequence.boxes.front())
                               : tracker->update(frame));
    run.seconds.push_back(std::chrono::duration<double>(Clock::now() - start).count());
  }
  run.memory_mb = peak_memory_mb();
  return run;
}

std::vector<std::string> run_tasks(const std::vector<EvaluationTask>& tasks,
                                   const ResultStore& store, int jobs, int threads) {
  if (tasks.empty()) return {};
  const int workers = std::clamp(jobs, 1, std::min(most_workers, static_cast<int>(tasks.size())));
  const int cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  const int each = threads > 0 ? threads : std::max(1, cores / workers);
  const SharedBoard board;
  const FailureLog failures;
  std::vector<std::pair<pid_t, int>> running;
  const auto start = [&](int worker) {
    std::cout.flush();
    const pid_t child = fork();
    require<Error>(child >= 0, "no process could be started for the evaluation");
    if (child == 0) {
      set_threads(each);
      cv::setNumThreads(each);
      work(tasks, store, *board, worker, failures);
      _exit(0);  // the parent's buffers and destructors are not this process's
    }
    running.emplace_back(child, worker);
  };
  for (int worker = 0; worker < workers; ++worker) start(worker);
  while (!running.empty()) {
    int status = 0;
    const pid_t child = waitpid(-1, &status, 0);
    const auto found = std::find_if(running.begin(), running.end(),
                                    [&](const auto& entry) { return entry.first == child; });
    if (found == running.end()) continue;
    const int worker = found->second;
    running.erase(found);
    const int lost = (*board).at[worker];
    if (lost == no_task) continue;
    // It died at a task: that one is given up, the rest goes on in a new process.
    (*board).at[worker] = no_task;
    ++(*board).finished;
    const std::string line =
        title(tasks[static_cast<std::size_t>(lost)]) + ": failed: its process ended with " +
        (WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                             : "status " + std::to_string(WEXITSTATUS(status)));
    failures.add(line);
    std::cerr << line + "\n";
    start(worker);
  }
  return failures.lines();
}

}  // namespace atomtrack::tools
