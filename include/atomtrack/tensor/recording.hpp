// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <vector>

#include "atomtrack/tensor/memory.hpp"

namespace atomtrack {

/// Orders the threads that work with the same tensors one after the other.
class Handover {
 public:
  explicit Handover(Device device) : device_(device) {}
  /// What the calling thread gives the device from now on comes after all that the thread which
  /// called last has given it by now. Throws DeviceError.
  void take_over();
  /// `take_over` of the thread that gives the tensors' memory back. A device that fails does no
  /// more work that could mind, so this says nothing.
  void take_back() noexcept;

 private:
  Device device_;
  std::uint64_t queue_ = 0;  // of the thread that called last
};

namespace detail {
class KeptBlocks;
}

/// Work that is done again and again with tensors that stay where they are. A GPU records it in its
/// second run (the first lets libraries choose and memory grow) and from then on repeats it as one
/// graph, without the host's part; everywhere else each run does it afresh. One thread at a time; a
/// copy has recorded nothing.
class Recording {
 public:
  explicit Recording(Device device);
  ~Recording();
  Recording(const Recording& other) : Recording(other.device_) {}
  Recording& operator=(const Recording& other);
  Recording(Recording&&) noexcept;
  Recording& operator=(Recording&&) noexcept;

  /// Does `work`, which must be the same every time: it works on tensors of this device that stay
  /// at `places` (their data), and what it reads from the host never changes. Once a place is
  /// another, recording starts anew. Tensors that it makes and leaves behind are written again by
  /// the next run. Work that waits for the device cannot be recorded and is done afresh each time.
  /// Throws what `work` throws, and DeviceError.
  void run(std::initializer_list<const void*> places, const std::function<void()>& work);
  /// Whether the next run repeats a recording.
  bool recorded() const { return recorded_ != nullptr; }

 private:
  bool record(const std::function<void()>& work);

  Device device_;
  std::vector<const void*> places_;
  std::unique_ptr<detail::KeptBlocks> blocks_;
  std::unique_ptr<RecordedWork> recorded_;  // goes before the memory that it uses
  bool first_ = true;
  bool refused_ = false;
};

}  // namespace atomtrack
