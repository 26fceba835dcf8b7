// SPDX-License-Identifier: MIT
#include "cuda_on_host/faults.hpp"

#include <mutex>
#include <optional>

#include "cuda_on_host/device_memory.hpp"

namespace cuda_on_host {
namespace {

/// Guarded by device_mutex().
struct Plan {
  bool recording = false;
  std::vector<ApiCall> calls;
  std::optional<std::size_t> number;
  std::string then;
};

Plan& plan() {
  static auto* instance = new Plan;
  return *instance;
}

}  // namespace

void start_recording() {
  const std::lock_guard lock(device_mutex());
  plan() = {};
  plan().recording = true;
}

std::vector<ApiCall> recorded_calls() {
  const std::lock_guard lock(device_mutex());
  return plan().calls;
}

void plan_fault(std::size_t number, const std::string& then) {
  const std::lock_guard lock(device_mutex());
  plan().number = number;
  plan().then = then;
}

bool faults_happened() {
  const std::lock_guard lock(device_mutex());
  return !plan().number && plan().then.empty();
}

bool fault(const char* function, const void* site) {
  const std::lock_guard lock(device_mutex());
  Plan& wanted = plan();
  if (!wanted.recording) return false;
  wanted.calls.push_back({function, site});
  if (wanted.number == wanted.calls.size() - 1) {
    wanted.number.reset();
    return true;
  }
  if (wanted.number || wanted.then != function) return false;
  wanted.then.clear();
  return true;
}

LiveObjects live_objects() {
  const std::lock_guard lock(device_mutex());
  return {live_streams(),     live_events(),
          live_graphs(),      live_cublas_handles() + live_cudnn_handles(),
          live_descriptors(), live_pinned(),
          live_allocations()};
}

}  // namespace cuda_on_host
