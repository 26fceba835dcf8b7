// SPDX-License-Identifier: MIT
// The emulated cuDNN and cuBLAS refuse what the real ones would, or might.
#include <cublas_v2.h>
#include <cuda_runtime_api.h>
#include <cudnn.h>
#include <doctest/doctest.h>

#include <array>
#include <cmath>

#include "cuda_on_host/convolutions.hpp"

namespace {

/// x [1,1,4,4] with one 3x3 filter, unpadded, into y [1,1,2,2], all of ones.
struct Problem {
  Problem() {
    REQUIRE(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) == cudaSuccess);
    REQUIRE(cudnnCreate(&handle) == CUDNN_STATUS_SUCCESS);
    REQUIRE(cudnnSetStream(handle, stream) == CUDNN_STATUS_SUCCESS);
    for (cudnnTensorDescriptor_t* tensor : {&x, &y})
      REQUIRE(cudnnCreateTensorDescriptor(tensor) == CUDNN_STATUS_SUCCESS);
    REQUIRE(cudnnCreateFilterDescriptor(&w) == CUDNN_STATUS_SUCCESS);
    REQUIRE(cudnnCreateConvolutionDescriptor(&operation) == CUDNN_STATUS_SUCCESS);
    describe_x(CUDNN_TENSOR_NCHW, CUDNN_DATA_FLOAT);
    describe_y(2);
    REQUIRE(cudnnSetFilter4dDescriptor(w, CUDNN_DATA_FLOAT, CUDNN_TENSOR_NCHW, 1, 1, 3, 3) ==
            CUDNN_STATUS_SUCCESS);
    REQUIRE(cudnnSetConvolution2dDescriptor(operation, 0, 0, 1, 1, 1, 1, CUDNN_CROSS_CORRELATION,
                                            CUDNN_DATA_FLOAT) == CUDNN_STATUS_SUCCESS);
    set_math(CUDNN_FMA_MATH);
    void* start = nullptr;
    REQUIRE(cudaMalloc(&start, 4096) == cudaSuccess);
    memory = static_cast<float*>(start);
    const std::array<float, 32> ones = [] {
      std::array<float, 32> values{};
      values.fill(1.0F);
      return values;
    }();
    REQUIRE(cudaMemcpyAsync(memory, ones.data(), sizeof(ones), cudaMemcpyHostToDevice, stream) ==
            cudaSuccess);
  }
  Problem(const Problem&) = delete;
  Problem& operator=(const Problem&) = delete;
  ~Problem() {
    static_cast<void>(cudaFree(memory));
    static_cast<void>(cudnnDestroyConvolutionDescriptor(operation));
    static_cast<void>(cudnnDestroyFilterDescriptor(w));
    static_cast<void>(cudnnDestroyTensorDescriptor(x));
    static_cast<void>(cudnnDestroyTensorDescriptor(y));
    static_cast<void>(cudnnDestroy(handle));
    static_cast<void>(cudaStreamDestroy(stream));
  }

  void describe_x(cudnnTensorFormat_t format, cudnnDataType_t type) const {
    REQUIRE(cudnnSetTensor4dDescriptor(x, format, type, 1, 1, 4, 4) == CUDNN_STATUS_SUCCESS);
  }
  void describe_y(int rows) const {
    REQUIRE(cudnnSetTensor4dDescriptor(y, CUDNN_TENSOR_NCHW, CUDNN_DATA_FLOAT, 1, 1, rows, 2) ==
            CUDNN_STATUS_SUCCESS);
  }
  void set_math(cudnnMathType_t math) const {
    REQUIRE(cudnnSetConvolutionMathType(operation, math) == CUDNN_STATUS_SUCCESS);
  }
  cudnnStatus_t forward(
      std::size_t bytes = 1000,
      cudnnConvolutionFwdAlgo_t algorithm = CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM,
      const float* source = nullptr) const {
    const float one = 1.0F, zero = 0.0F;
    return cudnnConvolutionForward(handle, &one, x, source != nullptr ? source : memory, w, memory,
                                   operation, algorithm, memory + 512, bytes, &zero, y,
                                   memory + 256);
  }

  std::array<float, 4> result() const {
    std::array<float, 4> values{};
    REQUIRE(cudaMemcpyAsync(values.data(), memory + 256, sizeof(values), cudaMemcpyDeviceToHost,
                            stream) == cudaSuccess);
    REQUIRE(cudaStreamSynchronize(stream) == cudaSuccess);
    return values;
  }

  cudaStream_t stream = nullptr;
  cudnnHandle_t handle = nullptr;
  cudnnTensorDescriptor_t x = nullptr, y = nullptr;
  cudnnFilterDescriptor_t w = nullptr;
  cudnnConvolutionDescriptor_t operation = nullptr;
  float* memory = nullptr;
};

}  // namespace

TEST_CASE("a convolution that fits is done") {
  const Problem problem;
  REQUIRE(problem.forward() == CUDNN_STATUS_SUCCESS);
  CHECK(problem.result() == std::array<float, 4>{9.0F, 9.0F, 9.0F, 9.0F});
}

TEST_CASE("tensor cores round factors to ten bits") {
  using cuda_on_host::Factors;
  using cuda_on_host::rounded;
  const double step = std::ldexp(1.0, -10);
  for (const Factors to : {Factors::tf32, Factors::half}) {
    CHECK(rounded(1.0, to) == 1.0);
    CHECK(rounded(-1.0 - 0.4 * step, to) == -1.0);
    CHECK(rounded(-1.0 - 0.6 * step, to) == -1.0 - step);
    CHECK(rounded(1.0 + 0.5 * step, to) == 1.0);  // halves to even
    CHECK(rounded(1.0 + 1.5 * step, to) == 1.0 + 2 * step);
    CHECK(rounded(0.0, to) == 0.0);
  }
  CHECK(rounded(1e30, Factors::tf32) == doctest::Approx(1e30).epsilon(step));
  CHECK(std::isinf(rounded(-70000.0, Factors::half)));
  CHECK(rounded(65504.0, Factors::half) == 65504.0);
  CHECK(rounded(std::ldexp(1.3, -24), Factors::half) == std::ldexp(1.0, -24));  // the smallest
  CHECK(rounded(std::ldexp(0.4, -24), Factors::half) == 0.0);
  CHECK(rounded(1.0 + 0.4 * step, Factors::exact) == 1.0 + 0.4 * step);

  Problem problem;
  const std::array<float, 1> corner{1.0F + static_cast<float>(0.4 * step)};
  REQUIRE(cudaMemcpyAsync(problem.memory, corner.data(), sizeof(float), cudaMemcpyHostToDevice,
                          problem.stream) == cudaSuccess);
  CHECK(problem.forward() == CUDNN_STATUS_SUCCESS);
  CHECK(problem.result()[0] > 9.0F);
  problem.set_math(CUDNN_TENSOR_OP_MATH);
  CHECK(problem.forward() == CUDNN_STATUS_SUCCESS);
  CHECK(problem.result()[0] == 9.0F);
}

TEST_CASE("convolutions that do not fit are refused") {
  const Problem problem;
  CHECK(problem.forward(999) == CUDNN_STATUS_BAD_PARAM);
  CHECK(problem.forward(4096) == CUDNN_STATUS_BAD_PARAM);  // more than there is
  CHECK(problem.forward(1000, CUDNN_CONVOLUTION_FWD_ALGO_WINOGRAD) == CUDNN_STATUS_BAD_PARAM);
  const std::array<float, 16> on_host{};
  CHECK(problem.forward(1000, CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM, on_host.data()) ==
        CUDNN_STATUS_BAD_PARAM);
  problem.describe_y(3);
  CHECK(problem.forward() == CUDNN_STATUS_BAD_PARAM);
  problem.describe_y(2);
  problem.set_math(CUDNN_DEFAULT_MATH);
  CHECK(problem.forward() == CUDNN_STATUS_BAD_PARAM);
  problem.set_math(CUDNN_FMA_MATH);
  problem.describe_x(CUDNN_TENSOR_NCHW, CUDNN_DATA_DOUBLE);
  CHECK(problem.forward() == CUDNN_STATUS_BAD_PARAM);
  problem.describe_x(CUDNN_TENSOR_NCHW, CUDNN_DATA_FLOAT);
  CHECK(problem.forward() == CUDNN_STATUS_SUCCESS);
}

TEST_CASE("fused convolutions that do not fit are refused") {
  const Problem problem;
  cudnnActivationDescriptor_t activation = nullptr;
  cudnnTensorDescriptor_t bias = nullptr;
  REQUIRE(cudnnCreateActivationDescriptor(&activation) == CUDNN_STATUS_SUCCESS);
  REQUIRE(cudnnCreateTensorDescriptor(&bias) == CUDNN_STATUS_SUCCESS);
  const auto describe = [&](cudnnActivationMode_t mode, int biases) {
    REQUIRE(cudnnSetActivationDescriptor(activation, mode, CUDNN_NOT_PROPAGATE_NAN, 0.0) ==
            CUDNN_STATUS_SUCCESS);
    REQUIRE(cudnnSetTensor4dDescriptor(bias, CUDNN_TENSOR_NCHW, CUDNN_DATA_FLOAT, 1, biases, 1,
                                       1) == CUDNN_STATUS_SUCCESS);
  };
  const auto fused = [&](float factor, cudnnTensorDescriptor_t added) {
    const float one = 1.0F;
    return cudnnConvolutionBiasActivationForward(
        problem.handle, &one, problem.x, problem.memory, problem.w, problem.memory,
        problem.operation, CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM, problem.memory + 512,
        1000, &factor, added, problem.memory, bias, problem.memory, activation, problem.y,
        problem.memory + 256);
  };
  describe(CUDNN_ACTIVATION_RELU, 1);
  REQUIRE(fused(-20.0F, problem.y) == CUDNN_STATUS_SUCCESS);  // relu(9 - 20 + 1)
  std::array<float, 4> result{};
  const auto read = [&] {
    REQUIRE(cudaMemcpyAsync(result.data(), problem.memory + 256, sizeof(result),
                            cudaMemcpyDeviceToHost, problem.stream) == cudaSuccess);
    REQUIRE(cudaStreamSynchronize(problem.stream) == cudaSuccess);
  };
  read();
  CHECK(result == std::array<float, 4>{});
  REQUIRE(fused(0.5F, problem.y) == CUDNN_STATUS_SUCCESS);
  read();
  CHECK(result == std::array<float, 4>{10.5F, 10.5F, 10.5F, 10.5F});
  CHECK(fused(1.0F, problem.x) == CUDNN_STATUS_BAD_PARAM);
  describe(CUDNN_ACTIVATION_RELU, 2);
  CHECK(fused(1.0F, problem.y) == CUDNN_STATUS_BAD_PARAM);
  describe(CUDNN_ACTIVATION_IDENTITY, 1);
  CHECK(fused(1.0F, problem.y) == CUDNN_STATUS_BAD_PARAM);
  REQUIRE(cudnnDestroyActivationDescriptor(activation) == CUDNN_STATUS_SUCCESS);
  REQUIRE(cudnnDestroyTensorDescriptor(bias) == CUDNN_STATUS_SUCCESS);
}

TEST_CASE("matrix products that do not fit are refused") {
  const Problem problem;
  cublasHandle_t handle = nullptr;
  REQUIRE(cublasCreate(&handle) == CUBLAS_STATUS_SUCCESS);
  const float one = 1.0F, zero = 0.0F;
  const auto multiply = [&](int step_a, const float* a) {
    return cublasSgemm(handle, CUBLAS_OP_N, CUBLAS_OP_T, 3, 2, 4, &one, a, step_a, problem.memory,
                       2, &zero, problem.memory + 256, 3);
  };
  CHECK(multiply(3, problem.memory) == CUBLAS_STATUS_INVALID_VALUE);  // no stream yet
  REQUIRE(cublasSetStream(handle, problem.stream) == CUBLAS_STATUS_SUCCESS);
  CHECK(multiply(3, problem.memory) == CUBLAS_STATUS_SUCCESS);
  CHECK(multiply(2, problem.memory) == CUBLAS_STATUS_INVALID_VALUE);
  CHECK(multiply(3, problem.memory + 1020) == CUBLAS_STATUS_INVALID_VALUE);  // 4 of 12 elements
  CHECK(multiply(3, &one) == CUBLAS_STATUS_INVALID_VALUE);
  REQUIRE(cublasDestroy(handle) == CUBLAS_STATUS_SUCCESS);
  CHECK(multiply(3, problem.memory) == CUBLAS_STATUS_NOT_INITIALIZED);
}
