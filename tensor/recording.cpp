// SPDX-License-Identifier: MIT
#include "atomtrack/tensor/recording.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "atomtrack/tensor/error.hpp"
#include "tensor/kept_blocks.hpp"

namespace atomtrack {

void Handover::take_over() {
  DeviceMemory& memory = device_memory(device_);
  memory.wait_for(queue_);
  queue_ = memory.queue();
}

void Handover::take_back() noexcept {
  try {
    take_over();
  } catch (const Error&) {
  }
}

Recording::Recording(Device device) : device_(device) {}
Recording::~Recording() = default;
Recording::Recording(Recording&&) noexcept = default;
Recording& Recording::operator=(const Recording& other) {
  return *this = Recording(other);
}

Recording& Recording::operator=(Recording&& other) noexcept {
  recorded_ = std::move(other.recorded_);  // before the blocks that it uses
  blocks_ = std::move(other.blocks_);
  device_ = other.device_;
  places_ = std::move(other.places_);
  first_ = other.first_;
  refused_ = other.refused_;
  return *this;
}

void Recording::run(std::initializer_list<const void*> places, const std::function<void()>& work) {
  if (!std::equal(places.begin(), places.end(), places_.begin(), places_.end())) {
    *this = Recording(device_);
    places_ = places;
  }
  const bool afresh = std::exchange(first_, false) || refused_ ||
                      detail::KeptBlocks::open_for(device_) != nullptr;  // part of a larger one
  if (recorded_ == nullptr && (afresh || !record(work))) return work();
  recorded_->repeat();
}

/// False where the work cannot be recorded; none of it has then been done.
bool Recording::record(const std::function<void()>& work) {
  refused_ = true;  // unless it turns out otherwise
  DeviceMemory& memory = device_memory(device_);
  auto blocks = std::make_unique<detail::KeptBlocks>(device_);
  if (!memory.begin_recording()) return false;
  std::exception_ptr failure;
  try {
    blocks->open();
    work();
  } catch (const OutOfMemoryError&) {
    // Recorded work keeps its memory to itself: where that is too much, it can do without.
    blocks->close();
    memory.end_recording();
    return false;
  } catch (...) {
    failure = std::current_exception();
  }
  blocks->close();
  std::unique_ptr<RecordedWork> recorded = memory.end_recording();
  if (recorded == nullptr) return false;
  if (failure != nullptr) {
    refused_ = false;  // it was not the recording's fault
    std::rethrow_exception(failure);
  }
  refused_ = false;
  blocks_ = std::move(blocks);
  recorded_ = std::move(recorded);
  return true;
}

}  // namespace atomtrack
