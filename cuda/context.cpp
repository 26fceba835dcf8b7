// SPDX-License-Identifier: MIT
#include "cuda/context.hpp"

#include <map>
#include <mutex>
#include <vector>

#include "atomtrack/tensor/error.hpp"
#include "cuda/constants.hpp"
#include "cuda/graph.hpp"

namespace atomtrack::cuda {
namespace {

/// All contexts ever made. Never destroyed: the driver may be gone when static objects are, and
/// tensors with static storage may still ask.
struct Registry {
  std::mutex mutex;
  std::vector<std::unique_ptr<Context>> all;
  std::map<int, std::vector<Context*>> idle;
  std::uint64_t numbers = 0;
};

Registry& registry() {
  static auto* instance = new Registry;
  return *instance;
}

/// The contexts that a thread holds; given back when it ends.
struct ThreadContexts {
  ThreadContexts() = default;
  ThreadContexts(const ThreadContexts&) = delete;
  ThreadContexts& operator=(const ThreadContexts&) = delete;
  ~ThreadContexts() {
    const std::lock_guard lock(registry().mutex);
    for (const auto& [index, context] : held) {
      if (context != nullptr) registry().idle[index].push_back(context);
    }
  }
  std::map<int, Context*> held;
};

ThreadContexts& thread_contexts() {
  thread_local ThreadContexts contexts;
  return contexts;
}

std::uint64_t next_number() {
  const std::lock_guard lock(registry().mutex);
  return ++registry().numbers;
}

}  // namespace

Context::Context(int index) : index_(index), number_(next_number()) {
  check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
  try {
    check(cudaEventCreateWithFlags(&handover_, cudaEventDisableTiming), "cudaEventCreateWithFlags");
  } catch (...) {
    ignore(cudaStreamDestroy(stream_));
    throw;
  }
  staging_ = std::make_unique<StagingBuffer>(stream_);
}

cudnnHandle_t Context::cudnn() {
  if (cudnn_ == nullptr) {
    cudnnHandle_t handle = nullptr;
    check(cudnnCreate(&handle), "cudnnCreate");
    try {
      check(cudnnSetStream(handle, stream_), "cudnnSetStream");
    } catch (...) {
      static_cast<void>(cudnnDestroy(handle));
      throw;
    }
    cudnn_ = handle;
  }
  return cudnn_;
}

cublasHandle_t Context::cublas() {
  if (cublas_ == nullptr) {
    cublasHandle_t handle = nullptr;
    check(cublasCreate(&handle), "cublasCreate");
    try {
      check(cublasSetStream(handle, stream_), "cublasSetStream");
      check(cublasSetMathMode(handle, CUBLAS_PEDANTIC_MATH), "cublasSetMathMode");
    } catch (...) {
      static_cast<void>(cublasDestroy(handle));
      throw;
    }
    cublas_ = handle;
  }
  return cublas_;
}

void Context::upload(void* device, const void* host, std::size_t bytes) {
  if (bytes == 0) return;
  // What is staged is gone when recorded work is repeated.
  if (records_) return store(*this, device, host, bytes);
  staging_->upload(device, host, bytes);
}

void Context::wait_for(Context& other) {
  if (&other == this) return;
  const std::lock_guard lock(other.recording_);
  order_after(other);
}

bool Context::try_wait_for(Context& other) {
  const std::unique_lock lock(other.recording_, std::try_to_lock);
  if (lock.owns_lock()) order_after(other);
  return lock.owns_lock();
}

bool Context::begin_recording() {
  std::unique_lock lock(recording_);
  if (!begin_capture(stream_)) return false;
  records_ = true;
  lock.release();  // `end_recording` unlocks it, in the same thread
  return true;
}

std::unique_ptr<RecordedWork> Context::end_recording() {
  const std::lock_guard unlocked(recording_, std::adopt_lock);
  records_ = false;
  return end_capture(index_, stream_);
}

void Context::order_after(Context& other) {
  check(cudaEventRecord(other.handover_, other.stream_), "cudaEventRecord");
  check(cudaStreamWaitEvent(stream_, other.handover_, 0), "cudaStreamWaitEvent");
}

void Context::synchronize() {
  check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
  staging_->all_done();
}

int device_count() {
  int count = 0;
  check(cudaGetDeviceCount(&count), "cudaGetDeviceCount");
  return count;
}

Context* held_context(int index) noexcept {
  const auto& held = thread_contexts().held;
  const auto found = held.find(index);
  return found == held.end() ? nullptr : found->second;
}

Context& current_context(int index) {
  Context*& context = thread_contexts().held[index];
  if (context != nullptr) {
    check(cudaSetDevice(index), "cudaSetDevice");
    return *context;
  }
  const int count = device_count();
  require<DeviceError>(index >= 0 && index < count, "device cuda:", index, ": this machine has ",
                       count, count == 1 ? " GPU" : " GPUs", ", numbered from 0");
  check(cudaSetDevice(index), "cudaSetDevice");
  Registry& all = registry();
  {
    const std::lock_guard lock(all.mutex);
    std::vector<Context*>& idle = all.idle[index];
    if (!idle.empty()) {
      context = idle.back();
      idle.pop_back();
      return *context;
    }
  }
  auto made = std::make_unique<Context>(index);
  const std::lock_guard lock(all.mutex);
  context = all.all.emplace_back(std::move(made)).get();
  return *context;
}

Context* context_of(std::uint64_t number) {
  const std::lock_guard lock(registry().mutex);
  for (const auto& context : registry().all) {
    if (context->number() == number) return context.get();
  }
  return nullptr;
}

}  // namespace atomtrack::cuda
