// SPDX-License-Identifier: MIT
#include "atomtrack/training/pair_loader.hpp"

namespace atomtrack {

PairLoader::PairLoader(const PairSource& source,
                       std::function<std::uint64_t(std::uint64_t)> index_of, int threads, int ahead)
    : source_(source),
      index_of_(std::move(index_of)),
      ahead_(static_cast<std::uint64_t>(std::max(1, ahead))) {
  for (int i = 0; i < std::max(1, threads); ++i) threads_.emplace_back([this] { work(); });
}

PairLoader::~PairLoader() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wanted_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void PairLoader::work() {
  for (;;) {
    std::uint64_t n = 0;
    {
      std::unique_lock lock(mutex_);
      wanted_.wait(lock, [&] { return stopping_ || next_made_ < next_given_ + ahead_; });
      if (stopping_) return;
      n = next_made_++;
    }
    Slot slot;
    try {
      slot.pair = source_.make(index_of_(n));
    } catch (...) {
      slot.error = std::current_exception();
    }
    {
      const std::lock_guard lock(mutex_);
      slots_.emplace(n, std::move(slot));
    }
    made_.notify_one();
  }
}

TrainingPair PairLoader::next() {
  Slot slot;
  {
    std::unique_lock lock(mutex_);
    made_.wait(lock, [&] { return slots_.count(next_given_) != 0; });
    const auto found = slots_.find(next_given_++);
    slot = std::move(found->second);
    slots_.erase(found);
  }
  wanted_.notify_all();
  if (slot.error) std::rethrow_exception(slot.error);
  return std::move(slot.pair);
}

}  // namespace atomtrack
