// SPDX-License-Identifier: MIT
// What the backend calls of cuDNN that needs a device. Everything about descriptors is the real
// library's, which needs none: it is linked, and these definitions come before its own. So NVIDIA's
// code says what a descriptor holds and how large a result is; only the arithmetic is ours.
#include <cudnn.h>

#include <array>
#include <cstring>
#include <optional>
#include <string>

#include "cuda_on_host/convolutions.hpp"
#include "cuda_on_host/fatal.hpp"
#include "cuda_on_host/faults.hpp"
#include "cuda_on_host/handles.hpp"

namespace cuda_on_host {
namespace {

constexpr std::size_t workspace_bytes = 1000;  // not a multiple of anything

Handles<cudnnHandle_t>& handles() {
  static auto* instance = new Handles<cudnnHandle_t>;
  return *instance;
}

cudnnStatus_t refuse(const std::string& reason) {
  complain("convolution: " + reason);
  return CUDNN_STATUS_BAD_PARAM;
}

struct Problem {
  ConvolutionSize size{};
  cudnnDataType_t type = CUDNN_DATA_FLOAT;
  cudnnMathType_t math = CUDNN_FMA_MATH;
  std::size_t element() const { return type == CUDNN_DATA_FLOAT ? sizeof(float) : sizeof(double); }
};

/// A dense NCHW tensor's extents, or nothing.
std::optional<std::array<int, 4>> dense_extents(cudnnTensorDescriptor_t descriptor,
                                                cudnnDataType_t& type) {
  std::array<int, 4> e{}, strides{};
  if (cudnnGetTensor4dDescriptor(descriptor, &type, &e[0], &e[1], &e[2], &e[3], &strides[0],
                                 &strides[1], &strides[2], &strides[3]) != CUDNN_STATUS_SUCCESS)
    return std::nullopt;
  const std::array<int, 4> dense{e[1] * e[2] * e[3], e[2] * e[3], e[3], 1};
  for (std::size_t i = 0; i < 4; ++i)
    if (e[i] > 1 && strides[i] != dense[i]) return std::nullopt;
  return e;
}

/// What the descriptors describe, if they fit each other and are what the backend promises to use:
/// dense NCHW tensors of one type, and sums in that type.
std::optional<Problem> read(cudnnTensorDescriptor_t x, cudnnFilterDescriptor_t w,
                            cudnnConvolutionDescriptor_t operation, cudnnTensorDescriptor_t y) {
  const auto wrong = [](const char* what) {
    static_cast<void>(refuse(what));
    return std::nullopt;
  };
  Problem problem;
  cudnnDataType_t y_type{}, w_type{}, compute_type{};
  const auto xs = dense_extents(x, problem.type);
  const auto ys = dense_extents(y, y_type);
  if (!xs || !ys) return wrong("a tensor's descriptor is not that of a dense NCHW tensor");
  cudnnTensorFormat_t format{};
  std::array<int, 4> ws{};
  if (cudnnGetFilter4dDescriptor(w, &w_type, &format, &ws[0], &ws[1], &ws[2], &ws[3]) !=
          CUDNN_STATUS_SUCCESS ||
      format != CUDNN_TENSOR_NCHW)
    return wrong("the filter's descriptor is not that of dense NCHW filters");
  int pad_h = 0, pad_w = 0, stride_h = 0, stride_w = 0, dilation_h = 0, dilation_w = 0, groups = 0;
  cudnnConvolutionMode_t mode{};
  cudnnMathType_t math{};
  if (cudnnGetConvolution2dDescriptor(operation, &pad_h, &pad_w, &stride_h, &stride_w, &dilation_h,
                                      &dilation_w, &mode, &compute_type) != CUDNN_STATUS_SUCCESS ||
      cudnnGetConvolutionGroupCount(operation, &groups) != CUDNN_STATUS_SUCCESS ||
      cudnnGetConvolutionMathType(operation, &math) != CUDNN_STATUS_SUCCESS)
    return wrong("the convolution's descriptor cannot be read");
  if (mode != CUDNN_CROSS_CORRELATION || dilation_h != 1 || dilation_w != 1 || groups != 1)
    return wrong("only a dense cross-correlation is emulated");
  if (problem.type != CUDNN_DATA_FLOAT && problem.type != CUDNN_DATA_DOUBLE)
    return wrong("neither float nor double");
  if (y_type != problem.type || w_type != problem.type || compute_type != problem.type)
    return wrong("the types differ");
  if (math == CUDNN_DEFAULT_MATH || (problem.type == CUDNN_DATA_DOUBLE && math != CUDNN_FMA_MATH))
    return wrong("the descriptor leaves to cuDNN how factors are rounded");
  problem.math = math;
  std::array<int, 4> wanted{};
  if (cudnnGetConvolution2dForwardOutputDim(operation, x, w, &wanted[0], &wanted[1], &wanted[2],
                                            &wanted[3]) != CUDNN_STATUS_SUCCESS ||
      wanted != *ys)
    return wrong("the result's shape is not that of the convolution");
  problem.size = {(*xs)[0], (*xs)[1], (*xs)[2], (*xs)[3], ws[0],    ws[2],   ws[3],
                  (*ys)[2], (*ys)[3], pad_h,    pad_w,    stride_h, stride_w};
  if (math == CUDNN_TENSOR_OP_MATH) problem.size.factors = Factors::tf32;
  if (math == CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION) problem.size.factors = Factors::half;
  return problem;
}

/// cuDNN's answer to which algorithms there are: ours comes last, after those that the backend must
/// pass over, which are not supported, not reproducible, or of less precision than was asked for.
template <class Performance, class Algorithm>
cudnnStatus_t propose(cudnnHandle_t handle, const std::optional<Problem>& problem, Algorithm bad,
                      Algorithm good, int wanted, int* count, Performance* results) {
  if (!handles().knows(handle)) return CUDNN_STATUS_NOT_INITIALIZED;
  if (!problem) return CUDNN_STATUS_BAD_PARAM;
  Performance one{};
  one.algo = bad;
  one.status = CUDNN_STATUS_NOT_SUPPORTED;
  one.determinism = CUDNN_DETERMINISTIC;
  one.mathType = CUDNN_FMA_MATH;
  std::array<Performance, 4> all{one, one, one, one};
  all[1].status = all[2].status = all[3].status = CUDNN_STATUS_SUCCESS;
  all[1].determinism = CUDNN_NON_DETERMINISTIC;
  all[2].mathType = problem->math == CUDNN_FMA_MATH ? CUDNN_TENSOR_OP_MATH
                                                    : CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION;
  // There is nothing less than half, and double has no lesser precision.
  if (problem->type == CUDNN_DATA_DOUBLE || problem->math == CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION)
    all[2] = all[0];
  all[3].mathType = problem->math;
  all[3].algo = good;
  all[3].memory = workspace_bytes;
  if (wanted < static_cast<int>(all.size()))
    return refuse("fewer proposals asked for than there are");
  for (std::size_t i = 0; i < all.size(); ++i) results[i] = all[i];
  *count = static_cast<int>(all.size());
  return CUDNN_STATUS_SUCCESS;
}

/// The tensors and the scratch memory of a call, all in device memory.
struct Call {
  const void *a, *b;
  std::size_t a_count, b_count;
  void* result;
  std::size_t result_count;
  void* workspace;
  std::size_t bytes;
  bool right_algorithm;
};

/// Enqueues `run(T, alpha, beta)` after the checks that all calls have in common.
template <class Run>
cudnnStatus_t convolution_call(cudnnHandle_t handle, const std::optional<Problem>& problem,
                               const Call& call, const void* alpha, const void* beta, Run run) {
  if (!handles().knows(handle)) return CUDNN_STATUS_NOT_INITIALIZED;
  const cudaStream_t stream = handles().stream(handle);
  if (stream == nullptr) return refuse("the handle has no stream");
  if (!problem) return CUDNN_STATUS_BAD_PARAM;
  if (!call.right_algorithm) return refuse("the algorithm is not the one that keeps the rules");
  const std::size_t element = problem->element();
  if (!is_live(call.a, call.a_count * element) || !is_live(call.b, call.b_count * element) ||
      !is_live(call.result, call.result_count * element))
    return refuse("a tensor is not all in device memory");
  if (call.bytes < workspace_bytes || !is_live(call.workspace, call.bytes))
    return refuse("the workspace is smaller than the algorithm needs");
  const auto enqueue_as = [&](auto type) {
    using T = decltype(type);
    // The caller's factors may be gone when the stream gets there.
    const T scale = *static_cast<const T*>(alpha), keep = *static_cast<const T*>(beta);
    return enqueue(stream, [=] {
      // Scratch memory that is part of a tensor would not stay unnoticed.
      std::memset(call.workspace, 0xFF, call.bytes);
      run(scale, keep);
      std::memset(call.workspace, 0xFF, call.bytes);
    });
  };
  const cudaError_t status =
      problem->type == CUDNN_DATA_FLOAT ? enqueue_as(float{}) : enqueue_as(double{});
  return status == cudaSuccess ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_EXECUTION_FAILED;
}

std::size_t count_of(std::int64_t elements) {
  return static_cast<std::size_t>(elements);
}

Call forward_call(const ConvolutionSize& size, const void* x, const void* w, void* y,
                  void* workspace, std::size_t bytes, cudnnConvolutionFwdAlgo_t algorithm) {
  return {x,
          w,
          count_of(size.x_count()),
          count_of(size.w_count()),
          y,
          count_of(size.y_count()),
          workspace,
          bytes,
          algorithm == CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM};
}

}  // namespace

std::size_t live_cudnn_handles() {
  return handles().count();
}

}  // namespace cuda_on_host

using namespace cuda_on_host;  // NOLINT: the library's own functions follow

extern "C" {

cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) {
  if (fault(__func__, __builtin_return_address(0))) return CUDNN_STATUS_INTERNAL_ERROR;
  *handle = handles().create();
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnDestroy(cudnnHandle_t handle) {
  const bool fails = fault(__func__, __builtin_return_address(0));  // reported after the deed
  if (!handles().destroy(handle)) return CUDNN_STATUS_BAD_PARAM;
  return fails ? CUDNN_STATUS_INTERNAL_ERROR : CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream) {
  if (fault(__func__, __builtin_return_address(0))) return CUDNN_STATUS_INTERNAL_ERROR;
  return handles().set_stream(handle, stream) ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_BAD_PARAM;
}

cudnnStatus_t cudnnGetConvolutionForwardAlgorithm_v7(
    cudnnHandle_t handle, const cudnnTensorDescriptor_t x, const cudnnFilterDescriptor_t w,
    const cudnnConvolutionDescriptor_t operation, const cudnnTensorDescriptor_t y, const int wanted,
    int* count, cudnnConvolutionFwdAlgoPerf_t* results) {
  if (fault(__func__, __builtin_return_address(0))) return CUDNN_STATUS_INTERNAL_ERROR;
  return propose(handle, read(x, w, operation, y), CUDNN_CONVOLUTION_FWD_ALGO_WINOGRAD,
                 CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM, wanted, count, results);
}

cudnnStatus_t cudnnGetConvolutionBackwardDataAlgorithm_v7(
    cudnnHandle_t handle, const cudnnFilterDescriptor_t w, const cudnnTensorDescriptor_t gy,
    const cudnnConvolutionDescriptor_t operation, const cudnnTensorDescriptor_t gx,
    const int wanted, int* count, cudnnConvolutionBwdDataAlgoPerf_t* results) {
  if (fault(__func__, __builtin_return_address(0))) return CUDNN_STATUS_INTERNAL_ERROR;
  return propose(handle, read(gx, w, operation, gy), CUDNN_CONVOLUTION_BWD_DATA_ALGO_0,
                 CUDNN_CONVOLUTION_BWD_DATA_ALGO_1, wanted, count, results);
}

cudnnStatus_t cudnnGetConvolutionBackwardFilterAlgorithm_v7(
    cudnnHandle_t handle, const cudnnTensorDescriptor_t x, const cudnnTensorDescriptor_t gy,
    const cudnnConvolutionDescriptor_t operation, const cudnnFilterDescriptor_t gw,
    const int wanted, int* count, cudnnConvolutionBwdFilterAlgoPerf_t* results) {
  if (fault(__func__, __builtin_return_address(0))) return CUDNN_STATUS_INTERNAL_ERROR;
  return propose(handle, read(x, gw, operation, gy), CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0,
                 CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1, wanted, count, results);
}

cudnnStatus_t cudnnConvolutionForward(cudnnHandle_t handle, const void* alpha,
                                      const cudnnTensorDescriptor_t x_of, const void* x,
                                      const cudnnFilterDescriptor_t w_of, const void* w,
                                      const cudnnConvolutionDescriptor_t operation,
                                      cudnnConvolutionFwdAlgo_t algorithm, void* workspace,
                                      size_t bytes, const void* beta,
                                      const cudnnTensorDescriptor_t y_of, void* y) {
  if (fault(__func__, __builtin_return_address(0))) return CUDNN_STATUS_INTERNAL_ERROR;
  const auto problem = read(x_of, w_of, operation, y_of);
  const ConvolutionSize size = problem ? problem->size : ConvolutionSize{};
  const Call call = forward_call(size, x, w, y, workspace, bytes, algorithm);
  return convolution_call(handle, problem, call, alpha, beta, [=](auto scale, auto keep) {
    using T = decltype(scale);
    convolve(size, scale, static_cast<const T*>(x), static_cast<const T*>(w), keep,
             static_cast<T*>(y));
  });
}

cudnnStatus_t cudnnConvolutionBiasActivationForward(
    cudnnHandle_t handle, const void* alpha, const cudnnTensorDescriptor_t x_of, const void* x,
    const cudnnFilterDescriptor_t w_of, const void* w, const cudnnConvolutionDescriptor_t operation,
    cudnnConvolutionFwdAlgo_t algorithm, void* workspace, size_t bytes, const void* factor,
    const cudnnTensorDescriptor_t added_of, const void* added,
    const cudnnTensorDescriptor_t bias_of, const void* bias,
    const cudnnActivationDescriptor_t activation, const cudnnTensorDescriptor_t y_of, void* y) {
  if (fault(__func__, __builtin_return_address(0))) return CUDNN_STATUS_INTERNAL_ERROR;
  const auto problem = read(x_of, w_of, operation, y_of);
  const ConvolutionSize size = problem ? problem->size : ConvolutionSize{};
  // Something has to be refused, so that there is somebody who has to do without.
  if (problem && size.k == 3) return CUDNN_STATUS_NOT_SUPPORTED_PADDING;
  cudnnActivationMode_t mode{};
  cudnnNanPropagation_t nan{};
  double coefficient = 0.0;
  if (cudnnGetActivationDescriptor(activation, &mode, &nan, &coefficient) != CUDNN_STATUS_SUCCESS ||
      mode != CUDNN_ACTIVATION_RELU || nan != CUDNN_NOT_PROPAGATE_NAN)
    return refuse("only a ReLU that does not propagate NaNs can be fused with every algorithm");
  cudnnDataType_t bias_type{}, added_type{};
  const auto biases = dense_extents(bias_of, bias_type);
  const auto addends = dense_extents(added_of, added_type);
  if (problem) {
    const auto extent = [](std::int64_t value) { return static_cast<int>(value); };
    const std::array<int, 4> bias_shape{1, extent(size.k), 1, 1};
    const std::array<int, 4> y_shape{extent(size.n), extent(size.k), extent(size.p),
                                     extent(size.q)};
    if (biases != bias_shape || bias_type != problem->type)
      return refuse("the bias is not [1,k,1,1] of the tensors' type");
    if (addends != y_shape || added_type != problem->type)
      return refuse("what is added does not have the result's shape and type");
    if (!is_live(bias, count_of(size.k) * problem->element()) ||
        !is_live(added, count_of(size.y_count()) * problem->element()))
      return refuse("bias or addend is not all in device memory");
  }
  const Call call = forward_call(size, x, w, y, workspace, bytes, algorithm);
  return convolution_call(handle, problem, call, alpha, factor, [=](auto scale, auto share) {
    using T = decltype(scale);
    convolve_fused(size, scale, static_cast<const T*>(x), static_cast<const T*>(w), share,
                   static_cast<const T*>(added), static_cast<const T*>(bias), static_cast<T*>(y));
  });
}

cudnnStatus_t cudnnConvolutionBackwardData(cudnnHandle_t handle, const void* alpha,
                                           const cudnnFilterDescriptor_t w_of, const void* w,
                                           const cudnnTensorDescriptor_t gy_of, const void* gy,
                                           const cudnnConvolutionDescriptor_t operation,
                                           cudnnConvolutionBwdDataAlgo_t algorithm, void* workspace,
                                           size_t bytes, const void* beta,
                                           const cudnnTensorDescriptor_t gx_of, void* gx) {
  if (fault(__func__, __builtin_return_address(0))) return CUDNN_STATUS_INTERNAL_ERROR;
  const auto problem = read(gx_of, w_of, operation, gy_of);
  const ConvolutionSize size = problem ? problem->size : ConvolutionSize{};
  const Call call{w,
                  gy,
                  count_of(size.w_count()),
                  count_of(size.y_count()),
                  gx,
                  count_of(size.x_count()),
                  workspace,
                  bytes,
                  algorithm == CUDNN_CONVOLUTION_BWD_DATA_ALGO_1};
  return convolution_call(handle, problem, call, alpha, beta, [=](auto scale, auto keep) {
    using T = decltype(scale);
    convolve_data_adjoint(size, scale, static_cast<const T*>(w), static_cast<const T*>(gy), keep,
                          static_cast<T*>(gx));
  });
}

cudnnStatus_t cudnnConvolutionBackwardFilter(cudnnHandle_t handle, const void* alpha,
                                             const cudnnTensorDescriptor_t x_of, const void* x,
                                             const cudnnTensorDescriptor_t gy_of, const void* gy,
                                             const cudnnConvolutionDescriptor_t operation,
                                             cudnnConvolutionBwdFilterAlgo_t algorithm,
                                             void* workspace, size_t bytes, const void* beta,
                                             const cudnnFilterDescriptor_t gw_of, void* gw) {
  if (fault(__func__, __builtin_return_address(0))) return CUDNN_STATUS_INTERNAL_ERROR;
  const auto problem = read(x_of, gw_of, operation, gy_of);
  const ConvolutionSize size = problem ? problem->size : ConvolutionSize{};
  const Call call{x,
                  gy,
                  count_of(size.x_count()),
                  count_of(size.y_count()),
                  gw,
                  count_of(size.w_count()),
                  workspace,
                  bytes,
                  algorithm == CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1};
  return convolution_call(handle, problem, call, alpha, beta, [=](auto scale, auto keep) {
    using T = decltype(scale);
    convolve_filter_adjoint(size, scale, static_cast<const T*>(x), static_cast<const T*>(gy), keep,
                            static_cast<T*>(gw));
  });
}

}  // extern "C"
