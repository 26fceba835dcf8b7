// SPDX-License-Identifier: MIT
// cuDNN's own host code, which needs neither driver nor GPU, against our geometry: every layer of
// the network.
#include "cuda/descriptors.hpp"

#include <doctest/doctest.h>

#include "atomtrack/tensor/error.hpp"
#include "cuda/algorithms.hpp"

using namespace atomtrack;

namespace {

struct Layer {
  Shape input, filter;
  Conv2dGeometry geometry;
};

/// The convolutions of ResNet-18 to layer3, the IoU predictor and the classifier.
const Layer layers[] = {
    {{1, 3, 288, 288}, {64, 3, 7, 7}, {2, 3}},    {{1, 64, 72, 72}, {64, 64, 3, 3}, {1, 1}},
    {{1, 64, 72, 72}, {128, 64, 3, 3}, {2, 1}},   {{1, 64, 72, 72}, {128, 64, 1, 1}, {2, 0}},
    {{1, 128, 36, 36}, {128, 128, 3, 3}, {1, 1}}, {{1, 128, 36, 36}, {256, 128, 3, 3}, {2, 1}},
    {{1, 128, 36, 36}, {256, 128, 1, 1}, {2, 0}}, {{1, 256, 18, 18}, {256, 256, 3, 3}, {1, 1}},
    {{30, 256, 18, 18}, {64, 256, 1, 1}, {1, 0}}, {{250, 64, 18, 18}, {1, 64, 4, 4}, {1, 2}},
    {{1, 3, 224, 224}, {64, 3, 7, 7}, {2, 3}},
};

TEST_CASE("cuDNN gives every layer the size that we do") {
  for (const Layer& layer : layers) {
    const Shape expected = conv2d_shape(layer.input, layer.filter, layer.geometry);
    CAPTURE(expected);
    const cuda::Convolution<float> of(layer.input, layer.filter, expected, layer.geometry);
    int n = 0, c = 0, h = 0, w = 0;
    REQUIRE(cudnnGetConvolution2dForwardOutputDim(of.operation.get(), of.x.get(), of.w.get(), &n,
                                                  &c, &h, &w) == CUDNN_STATUS_SUCCESS);
    CHECK(Shape{n, c, h, w} == expected);
    std::size_t bytes = 0;
    REQUIRE(cudnnGetTensorSizeInBytes(of.y.get(), &bytes) == CUDNN_STATUS_SUCCESS);
    CHECK(bytes == static_cast<std::size_t>(expected.numel()) * sizeof(float));
  }
}

TEST_CASE("cuDNN is told to cross-correlate in full precision") {
  const cuda::ConvolutionDescriptor descriptor = cuda::describe_convolution<float>({2, 3});
  int pad_h = 0, pad_w = 0, step_h = 0, step_w = 0, wide_h = 0, wide_w = 0;
  cudnnConvolutionMode_t mode{};
  cudnnDataType_t type{};
  REQUIRE(cudnnGetConvolution2dDescriptor(descriptor.get(), &pad_h, &pad_w, &step_h, &step_w,
                                          &wide_h, &wide_w, &mode, &type) == CUDNN_STATUS_SUCCESS);
  CHECK(pad_h == 3);
  CHECK(pad_w == 3);
  CHECK(step_h == 2);
  CHECK(step_w == 2);
  CHECK(mode == CUDNN_CROSS_CORRELATION);
  CHECK(type == CUDNN_DATA_FLOAT);
  cudnnMathType_t math{};
  REQUIRE(cudnnGetConvolutionMathType(descriptor.get(), &math) == CUDNN_STATUS_SUCCESS);
  CHECK(math == CUDNN_FMA_MATH);
}

TEST_CASE("what cuDNN cannot take is refused with its reason") {
  CHECK_THROWS_AS(cuda::describe_tensor<float>({1, 2, 3}), ShapeError);
  CHECK_THROWS_AS(cuda::describe_tensor<float>({1 << 16, 1 << 8, 1 << 8, 1}), ShapeError);
  CHECK_THROWS_AS(cuda::describe_tensor<float>({1, 0, 3, 3}), DeviceError);
  CHECK_THROWS_AS(cuda::describe_convolution<float>({0, 1}), DeviceError);
  try {
    cuda::describe_convolution<float>({0, 1});
  } catch (const DeviceError& error) {
    CHECK(std::string(error.what()).find("cudnnSetConvolution2dDescriptor") != std::string::npos);
  }
}

TEST_CASE("errors of the runtime say what to do") {
  CHECK_NOTHROW(cuda::check(cudaSuccess, "cudaMalloc"));
  for (const cudaError_t status :
       {cudaErrorNoDevice, cudaErrorInsufficientDriver, cudaErrorStubLibrary,
        cudaErrorMemoryAllocation, cudaErrorNoKernelImageForDevice, cudaErrorInvalidDevice}) {
    CAPTURE(status);
    CHECK(std::string(cuda::advice(status)).size() > 20);
    CHECK_THROWS_AS(cuda::check(status, "call"), DeviceError);
  }
}

}  // namespace
