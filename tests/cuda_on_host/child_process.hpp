// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>

namespace cuda_on_host {

/// How a child process ended (as waitpid tells it), and what it wrote into its end of a pipe.
struct Child {
  std::string text;
  int status = 0;
};

/// Runs `work(end)` in a child process, `end` being the file descriptor that this one reads from.
Child run_child(const std::function<void(int end)>& work);

}  // namespace cuda_on_host
