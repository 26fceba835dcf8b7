// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <span>

#include "atomtrack/tensor/tensor.hpp"

namespace atomtrack {

/// What data-parallel training asks of its processes: each computes the gradients of its own pairs,
/// then all have the sum. One process needs none of it; with MPI `mpi_exchange` joins the processes
/// of the job. A GPU build can put NCCL here. Not thread-safe.
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

}  // namespace atomtrack
