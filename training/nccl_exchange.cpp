// SPDX-License-Identifier: MIT
#include "atomtrack/training/gradient_exchange.hpp"

#ifdef ATOMTRACK_WITH_NCCL

#include <nccl.h>

#include <algorithm>
#include <array>
#include <utility>

namespace atomtrack {
namespace {

void check(ncclResult_t status, const char* call) {
  if (status == ncclSuccess) return;
  const bool usage = status == ncclInvalidUsage;
  throw DeviceError(concatenate(call, ": ", ncclGetErrorString(status), " (NCCL status ",
                                static_cast<int>(status), ")",
                                usage ? ": each process needs a GPU of its own" : ""));
}

/// The sum over processes is also how all of them learn what only the first one knows.
ncclUniqueId shared_id(GradientExchange& processes) {
  ncclUniqueId id{};
  if (processes.rank() == 0) check(ncclGetUniqueId(&id), "ncclGetUniqueId");
  std::array<double, sizeof(id.internal)> bytes{};
  std::copy(std::begin(id.internal), std::end(id.internal), bytes.begin());
  processes.sum(bytes);
  std::transform(bytes.begin(), bytes.end(), id.internal,
                 [](double byte) { return static_cast<char>(byte); });
  return id;
}

class NcclExchange final : public GradientExchange {
 public:
  NcclExchange(std::unique_ptr<GradientExchange> processes, Device device)
      : processes_(std::move(processes)), memory_(device_memory(device)) {
    memory_.native_queue();  // makes the GPU the current one
    check(ncclCommInitRank(&communicator_, size(), shared_id(*processes_), rank()),
          "ncclCommInitRank");
  }
  ~NcclExchange() override { static_cast<void>(ncclCommDestroy(communicator_)); }
  NcclExchange(const NcclExchange&) = delete;
  NcclExchange& operator=(const NcclExchange&) = delete;

  int rank() const override { return processes_->rank(); }
  int size() const override { return processes_->size(); }

  void sum(std::span<Tensor<float>> tensors) override {
    const auto stream = static_cast<cudaStream_t>(memory_.native_queue());
    check(ncclGroupStart(), "ncclGroupStart");  // one launch for all
    for (Tensor<float>& tensor : tensors) {
      check(ncclAllReduce(tensor.data(), tensor.data(), static_cast<std::size_t>(tensor.numel()),
                          ncclFloat, ncclSum, communicator_, stream),
            "ncclAllReduce");
    }
    check(ncclGroupEnd(), "ncclGroupEnd");
  }
  void sum(std::span<double> values) override { processes_->sum(values); }

 private:
  std::unique_ptr<GradientExchange> processes_;
  DeviceMemory& memory_;
  ncclComm_t communicator_ = nullptr;
};

}  // namespace

std::unique_ptr<GradientExchange> nccl_exchange(std::unique_ptr<GradientExchange> processes,
                                                Device device) {
  if (device.is_host() || processes->size() == 1) return processes;
  return std::make_unique<NcclExchange>(std::move(processes), device);
}

}  // namespace atomtrack

#else

namespace atomtrack {

std::unique_ptr<GradientExchange> nccl_exchange(std::unique_ptr<GradientExchange> processes,
                                                Device) {
  return processes;
}

}  // namespace atomtrack

#endif
