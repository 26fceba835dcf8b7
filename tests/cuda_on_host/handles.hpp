// SPDX-License-Identifier: MIT
#pragma once

#include <cuda_runtime_api.h>

#include <set>

#include "cuda_on_host/device_memory.hpp"
#include "cuda_on_host/streams.hpp"

namespace cuda_on_host {

/// The handles of one library. Each works on the stream it was given and must have been given one,
/// as the default stream is not emulated. `Handle` is the library's own pointer type.
template <class Handle>
class Handles {
 public:
  Handle create() {
    const std::lock_guard lock(device_mutex());
    auto* state = new State;
    all_.insert(state);
    return reinterpret_cast<Handle>(state);
  }
  bool destroy(Handle handle) {
    const std::lock_guard lock(device_mutex());
    if (all_.erase(state_of(handle)) == 0) return false;
    delete state_of(handle);
    return true;
  }
  bool set_stream(Handle handle, cudaStream_t stream) {
    const std::lock_guard lock(device_mutex());
    if (!knows(handle) || !is_stream(stream)) return false;
    state_of(handle)->stream = stream;
    return true;
  }
  bool knows(Handle handle) const {
    const std::lock_guard lock(device_mutex());
    return all_.count(state_of(handle)) != 0;
  }
  std::size_t count() const {
    const std::lock_guard lock(device_mutex());
    return all_.size();
  }
  /// The stream to work on; null if there is no such handle, or none was set.
  cudaStream_t stream(Handle handle) const {
    const std::lock_guard lock(device_mutex());
    return knows(handle) ? state_of(handle)->stream : nullptr;
  }

 private:
  struct State {
    cudaStream_t stream = nullptr;
  };
  static State* state_of(Handle handle) { return reinterpret_cast<State*>(handle); }

  std::set<State*> all_;
};

}  // namespace cuda_on_host
