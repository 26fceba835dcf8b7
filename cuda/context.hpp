// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>

#include "atomtrack/tensor/device.hpp"
#include "atomtrack/tensor/memory.hpp"
#include "cuda/error.hpp"
#include "cuda/staging.hpp"

namespace atomtrack::cuda {

/// What one host thread needs to work on one GPU: a stream, on which everything it asks for is
/// ordered, the libraries' handles bound to that stream, and pinned memory for what goes up. A
/// context outlives its thread: a later thread takes it over, so that the number of streams is that
/// of the threads that ever worked at once.
class Context {
 public:
  explicit Context(int index);
  ~Context() = default;
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  Device device() const { return Device::cuda(index_); }
  cudaStream_t stream() const { return stream_; }
  /// Created on first use: cuDNN takes a second and a hundred megabytes to start.
  cudnnHandle_t cudnn();
  cublasHandle_t cublas();
  /// Enqueues the copy of `bytes` bytes to the GPU; the caller may reuse `host` at once.
  void upload(void* device, const void* host, std::size_t bytes);
  /// Names this context's stream among all; never 0.
  std::uint64_t number() const { return number_; }

  /// Makes later work here wait for all work that `other` has been given so far, once no other
  /// thread records there.
  void wait_for(Context& other);
  /// The same, or false while another thread records there.
  bool try_wait_for(Context& other);
  void synchronize();

  // What the stream is given between these two calls is recorded, as DeviceMemory says.
  bool begin_recording();
  std::unique_ptr<RecordedWork> end_recording();

 private:
  void order_after(Context& other);

  int index_;
  std::uint64_t number_;
  cudaStream_t stream_ = nullptr;
  cudaEvent_t handover_ = nullptr;
  // Another thread's event would become part of the capture: it is kept out of the stream
  // meanwhile.
  std::mutex recording_;
  bool records_ = false;
  cudnnHandle_t cudnn_ = nullptr;
  cublasHandle_t cublas_ = nullptr;
  std::unique_ptr<StagingBuffer> staging_;
};

/// The calling thread's context for GPU `index`, which becomes the thread's current device. Throws
/// DeviceError when there is no such GPU.
Context& current_context(int index);
/// The context that the calling thread holds for GPU `index`, or null if it has none yet.
Context* held_context(int index) noexcept;
/// The context of that number, or null. Thread-safe.
Context* context_of(std::uint64_t number);
/// How many GPUs there are. Throws DeviceError when there is no driver, or none.
int device_count();

}  // namespace atomtrack::cuda
