// SPDX-License-Identifier: MIT
#include "atomtrack/training/gradient_exchange.hpp"

#ifdef ATOMTRACK_WITH_MPI

#include <mpi.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace atomtrack {
namespace {

void check(int status, const char* call) {
  if (status == MPI_SUCCESS) return;
  std::string text(MPI_MAX_ERROR_STRING, '\0');
  int length = 0;
  MPI_Error_string(status, text.data(), &length);
  text.resize(static_cast<std::size_t>(length));
  throw Error(concatenate(call, ": ", text));
}

class MpiExchange final : public GradientExchange {
 public:
  MpiExchange() {
    check(MPI_Comm_rank(MPI_COMM_WORLD, &rank_), "MPI_Comm_rank");
    check(MPI_Comm_size(MPI_COMM_WORLD, &size_), "MPI_Comm_size");
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  }
  int rank() const override { return rank_; }
  int size() const override { return size_; }

  void sum(std::span<Tensor<float>> tensors) override {
    // One message for all: the many small ones would cost more than their bytes.
    std::vector<float> all;
    for (const Tensor<float>& tensor : tensors) {
      const std::vector<float> values = tensor.to_vector();
      all.insert(all.end(), values.begin(), values.end());
    }
    check(MPI_Allreduce(MPI_IN_PLACE, all.data(), static_cast<int>(all.size()), MPI_FLOAT, MPI_SUM,
                        MPI_COMM_WORLD),
          "MPI_Allreduce");
    std::size_t at = 0;
    for (Tensor<float>& tensor : tensors) {
      const auto count = static_cast<std::size_t>(tensor.numel());
      device_memory(tensor.device())
          .copy_from_host(tensor.data(), all.data() + at, count * sizeof(float));
      at += count;
    }
  }
  void sum(std::span<double> values) override {
    check(MPI_Allreduce(MPI_IN_PLACE, values.data(), static_cast<int>(values.size()), MPI_DOUBLE,
                        MPI_SUM, MPI_COMM_WORLD),
          "MPI_Allreduce");
  }

 private:
  int rank_ = 0, size_ = 1;
};

/// Whether a launcher started this process: MPI is not touched otherwise (its start takes a second
/// and wants a network).
bool launched() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK"}) {
    if (std::getenv(name) != nullptr) return true;  // NOLINT(concurrency-mt-unsafe)
  }
  return false;
}

}  // namespace

std::unique_ptr<GradientExchange> mpi_exchange() {
  if (!launched()) return nullptr;
  int initialised = 0;
  MPI_Initialized(&initialised);
  if (initialised == 0) {
    int provided = 0;
    check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
    std::atexit([] { MPI_Finalize(); });
  }
  return std::make_unique<MpiExchange>();
}

}  // namespace atomtrack

#else

namespace atomtrack {

std::unique_ptr<GradientExchange> mpi_exchange() {
  return nullptr;
}

}  // namespace atomtrack

#endif
