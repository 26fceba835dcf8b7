// SPDX-License-Identifier: MIT
#include "cuda_on_host/last_words.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "cuda_on_host/device_memory.hpp"

namespace cuda_on_host {

std::string last_words(int signal, const std::function<void()>& work) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    dup2(ends[1], STDERR_FILENO);
    // The test framework's handlers would take this for a failure of the test itself.
    ::signal(SIGABRT, SIG_DFL);
    ::signal(SIGSEGV, SIG_DFL);
    watch_host_access();
    work();
    _exit(0);
  }
  close(ends[1]);
  std::string text;
  std::array<char, 256> part{};
  for (ssize_t got; (got = read(ends[0], part.data(), part.size())) > 0;)
    text.append(part.data(), static_cast<std::size_t>(got));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  const bool killed = WIFSIGNALED(status) && WTERMSIG(status) == signal;
  const bool reported = sanitized && WIFEXITED(status) && WEXITSTATUS(status) != 0;
  if (!killed && !reported) text = "it did not die so: " + text;
  return text;
}

}  // namespace cuda_on_host
