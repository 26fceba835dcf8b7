// SPDX-License-Identifier: MIT
#include <cblas.h>

#include <atomic>
#include <thread>

#include "cpu/parallel.hpp"

namespace atomtrack {
namespace {

std::atomic<int>& setting() {
  static std::atomic<int> value{
      static_cast<int>(std::max(1U, std::thread::hardware_concurrency()))};
  return value;
}

}  // namespace

void set_threads(int n) {
  require<InputError>(n >= 1, "threads = ", n, ": expected 1 or more");
  setting() = n;
}

int threads() {
  return setting();
}

namespace cpu {

void apply_thread_setting() {
  thread_local int applied = 0;
  const int wanted = threads();
  if (applied == wanted) return;
#ifdef _OPENMP
  omp_set_num_threads(wanted);
  openblas_set_num_threads(wanted);
#else
  openblas_set_num_threads(1);
#endif
  applied = wanted;
}

}  // namespace cpu
}  // namespace atomtrack
