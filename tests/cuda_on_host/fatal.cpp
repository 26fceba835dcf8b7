// SPDX-License-Identifier: MIT
#include "cuda_on_host/fatal.hpp"

#include <cstdio>
#include <cstdlib>

namespace cuda_on_host {

void complain(const std::string& message) {
  std::fprintf(stderr, "cuda_on_host: %s\n", message.c_str());
  std::fflush(stderr);
}

void fatal(const std::string& message) {
  complain(message);
  std::abort();
}

}  // namespace cuda_on_host
