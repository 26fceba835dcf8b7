// SPDX-License-Identifier: MIT
// Processes that train together, each on an emulated GPU of its own. Started by mpirun.
#include <doctest/doctest.h>

#include <algorithm>

#include "atomtrack/training/gradient_exchange.hpp"
#include "atomtrack/training/trainer.hpp"
#include "cuda_on_host/faults.hpp"
#include "training/synthetic_data.hpp"

using namespace atomtrack;

namespace {

std::unique_ptr<GradientExchange> processes() {
  auto all = mpi_exchange();
  REQUIRE_MESSAGE(all != nullptr, "not started by mpirun");
  REQUIRE(all->size() == 2);
  return nccl_exchange(std::move(all), Device::cuda(0));
}

}  // namespace

TEST_CASE("gradients on GPUs are summed without a visit to the host") {
  const auto exchange = processes();
  const auto mine = static_cast<float>(exchange->rank() + 1);
  std::vector<Tensor<float>> tensors{Tensor<float>::full(Shape{1000, 3}, mine, Device::cuda(0)),
                                     Tensor<float>::full(Shape{}, 10.0F * mine, Device::cuda(0))};
  cuda_on_host::start_recording();
  exchange->sum(tensors);
  for (const auto& call : cuda_on_host::recorded_calls()) {
    CAPTURE(call.function);
    CHECK((call.function == "ncclAllReduce" || call.function == "cudaSetDevice"));
  }
  for (const float value : tensors[0].to_vector()) CHECK(value == 3.0F);
  CHECK(tensors[1].item() == 30.0F);
  std::vector<double> values{static_cast<double>(mine), -1.0};
  exchange->sum(values);
  CHECK(values == std::vector<double>{3.0, -2.0});
}

TEST_CASE("two processes take the steps that one would") {
  const auto exchange = processes();
  TrainingOptions options;
  options.seed = 8;
  options.batch = 4;
  options.group = 2;
  options.climbing_candidates = 1;
  options.schedule = {{8, 1e-4, 0.0, 1e-5, 0.0}};
  GradientExchange alone;
  Trainer one(options, test::synthetic_backbone(), test::synthetic_pairs(), alone, Device::cuda(0));
  Trainer part(options, test::synthetic_backbone(), test::synthetic_pairs(), *exchange,
               Device::cuda(0));
  while (!one.finished()) {
    const Trainer::Step step = one.step(), came = part.step();
    CHECK(came.loss == doctest::Approx(step.loss).epsilon(1e-5));
    CHECK(came.mean_error == doctest::Approx(step.mean_error).epsilon(1e-5));
  }
  CHECK(part.finished());
}
