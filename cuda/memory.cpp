// SPDX-License-Identifier: MIT
#include "cuda/memory.hpp"

#include <map>
#include <memory>
#include <mutex>

#include "atomtrack/tensor/error.hpp"
#include "atomtrack/tensor/memory.hpp"
#include "cuda/context.hpp"

namespace atomtrack::cuda {
namespace {

class CudaMemory final : public DeviceMemory {
 public:
  explicit CudaMemory(int index) : index_(index) {}

  void* allocate(std::size_t bytes) override {
    current_context(index_);
    void* data = nullptr;
    const cudaError_t status = cudaMalloc(&data, bytes);
    if (status == cudaErrorMemoryAllocation) {
      ignore(status);
      throw OutOfMemoryError(concatenate("out of memory on ", Device::cuda(index_), ": ", bytes,
                                         " bytes asked for", room(), advice(status)));
    }
    check(status, "cudaMalloc");
    return data;
  }
  void deallocate(void* data) noexcept override { ignore(cudaFree(data)); }

  void copy_to_host(void* host, const void* device, std::size_t bytes) override {
    if (bytes == 0) return;
    Context& context = current_context(index_);
    check(cudaMemcpyAsync(host, device, bytes, cudaMemcpyDeviceToHost, context.stream()),
          "cudaMemcpyAsync");
    context.synchronize();
  }
  void copy_from_host(void* device, const void* host, std::size_t bytes) override {
    current_context(index_).upload(device, host, bytes);
  }
  void copy_within(void* to, const void* from, std::size_t bytes) override {
    if (bytes == 0) return;
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice,
                          current_context(index_).stream()),
          "cudaMemcpyAsync");
  }
  void set_zero(void* data, std::size_t bytes) override {
    if (bytes == 0) return;
    check(cudaMemsetAsync(data, 0, bytes, current_context(index_).stream()), "cudaMemsetAsync");
  }

  // A thread without a context has enqueued nothing.
  std::uint64_t queue() noexcept override {
    const Context* held = held_context(index_);
    return held == nullptr ? 0 : held->number();
  }
  void* native_queue() override { return current_context(index_).stream(); }
  void wait_for(std::uint64_t queue) override {
    Context& mine = current_context(index_);
    if (Context* other = context_of(queue)) mine.wait_for(*other);
  }
  bool try_wait_for(std::uint64_t queue) override {
    Context& mine = current_context(index_);
    Context* other = context_of(queue);
    return other == nullptr || mine.try_wait_for(*other);
  }
  void synchronize() override { current_context(index_).synchronize(); }

  bool begin_recording() override { return current_context(index_).begin_recording(); }
  std::unique_ptr<RecordedWork> end_recording() override {
    return current_context(index_).end_recording();
  }

 private:
  static std::string room() {
    std::size_t free = 0, total = 0;
    const cudaError_t status = cudaMemGetInfo(&free, &total);
    ignore(status);
    if (status != cudaSuccess) return "";
    return concatenate(", ", free, " of ", total, " are free");
  }

  int index_;
};

// Before main: tensors may be the first to ask for a GPU.
[[maybe_unused]] const bool provided = [] {
  register_memory_provider([](Device device) { serve_memory(device.index); });
  return true;
}();

}  // namespace

void serve_memory(int index) {
  static std::mutex mutex;
  // Never destroyed, like the pool that uses it.
  static auto* served = new std::map<int, std::unique_ptr<CudaMemory>>;
  const std::lock_guard lock(mutex);
  if (served->count(index) != 0) return;
  current_context(index);
  auto memory = std::make_unique<CudaMemory>(index);
  register_device_memory(Device::cuda(index), memory.get());
  served->emplace(index, std::move(memory));
}

}  // namespace atomtrack::cuda
