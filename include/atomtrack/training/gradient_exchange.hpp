// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <span>

#include "atomtrack/tensor/tensor.hpp"

namespace atomtrack {

/// What data-parallel training asks of its processes: each computes the gradients of its own pairs,
/// then all have the sum. One process needs none of it; with MPI `mpi_exchange` joins the processes
/// of the job, and with NCCL too `nccl_exchange` keeps the gradients on their GPUs. Not
/// thread-safe.
class GradientExchange {
 public:
  virtual ~GradientExchange() = default;
  virtual int rank() const { return 0; }
  virtual int size() const { return 1; }
  /// Replaces each tensor, of the same shapes in every process, by the sum over the processes.
  virtual void sum(std::span<Tensor<float>>) {}
  virtual void sum(std::span<double>) {}
};

/// The processes started by `mpirun`, or null if this build has no MPI or the program was started
/// without it. The first call initialises MPI, which is finalised when the program ends.
std::unique_ptr<GradientExchange> mpi_exchange();

/// The same `processes`, the tensors of which lie on the GPU `device` of each (a GPU of its own)
/// and are summed there by NCCL, on the calling thread's stream. `processes` themselves on a host,
/// for one process, or in a build without NCCL. Throws DeviceError.
std::unique_ptr<GradientExchange> nccl_exchange(std::unique_ptr<GradientExchange> processes,
                                                Device device);

}  // namespace atomtrack
