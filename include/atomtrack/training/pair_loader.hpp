// SPDX-License-Identifier: MIT
#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "atomtrack/training/pair_source.hpp"

namespace atomtrack {

/// Makes pairs ahead of time in threads of its own and hands them out in order: the same pairs
/// whatever the number of threads. At most `ahead` pairs wait at a time (about 0.5 MB each at 288
/// pixels).
class PairLoader {
 public:
  /// The n-th pair handed out is number `index_of(n)` of `source`, which must outlive the loader.
  PairLoader(const PairSource& source, std::function<std::uint64_t(std::uint64_t)> index_of,
             int threads, int ahead);
  ~PairLoader();
  PairLoader(const PairLoader&) = delete;
  PairLoader& operator=(const PairLoader&) = delete;

  /// The next pair. Throws what making it threw. For one thread.
  TrainingPair next();

 private:
  void work();

  const PairSource& source_;
  std::function<std::uint64_t(std::uint64_t)> index_of_;
  std::uint64_t ahead_;
  std::mutex mutex_;
  std::condition_variable made_, wanted_;
  std::uint64_t next_made_ = 0;   // the next to be made
  std::uint64_t next_given_ = 0;  // the next to be handed out
  struct Slot {
    TrainingPair pair;
    std::exception_ptr error;
  };
  std::map<std::uint64_t, Slot> slots_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace atomtrack
