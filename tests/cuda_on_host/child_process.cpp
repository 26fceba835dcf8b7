// SPDX-License-Identifier: MIT
#include "cuda_on_host/child_process.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

namespace cuda_on_host {

Child run_child(const std::function<void(int end)>& work) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t process = fork();
  REQUIRE(process >= 0);
  if (process == 0) {
    work(ends[1]);
    _exit(0);
  }
  close(ends[1]);
  Child child;
  std::array<char, 4096> part{};
  for (ssize_t got; (got = read(ends[0], part.data(), part.size())) > 0;)
    child.text.append(part.data(), static_cast<std::size_t>(got));
  close(ends[0]);
  waitpid(process, &child.status, 0);
  return child;
}

}  // namespace cuda_on_host
