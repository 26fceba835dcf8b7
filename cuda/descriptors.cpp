// SPDX-License-Identifier: MIT
#include "cuda/descriptors.hpp"

#include <array>
#include <limits>

#include "atomtrack/tensor/error.hpp"

namespace atomtrack::cuda {
namespace {

std::array<int, 4> narrow(const Shape& shape) {
  std::array<int, 4> extents{};
  require<ShapeError>(shape.rank() == 4 && shape.numel() <= std::numeric_limits<int>::max(),
                      "cuDNN takes four axes and at most 2^31 - 1 elements, not ", shape);
  for (std::size_t i = 0; i < 4; ++i) extents[i] = static_cast<int>(shape.begin()[i]);
  return extents;
}

}  // namespace

template <class T>
TensorDescriptor describe_tensor(const Shape& shape) {
  const auto [n, c, h, w] = narrow(shape);
  TensorDescriptor descriptor("cudnnCreateTensorDescriptor");
  check(
      cudnnSetTensor4dDescriptor(descriptor.get(), CUDNN_TENSOR_NCHW, cudnn_type<T>(), n, c, h, w),
      "cudnnSetTensor4dDescriptor");
  return descriptor;
}

template <class T>
FilterDescriptor describe_filter(const Shape& shape) {
  const auto [o, c, h, w] = narrow(shape);
  FilterDescriptor descriptor("cudnnCreateFilterDescriptor");
  check(
      cudnnSetFilter4dDescriptor(descriptor.get(), cudnn_type<T>(), CUDNN_TENSOR_NCHW, o, c, h, w),
      "cudnnSetFilter4dDescriptor");
  return descriptor;
}

template <class T>
void require_offered(Precision precision) {
  require<InputError>(precision == Precision::full || std::is_same_v<T, float>,
                      "convolutions in double: full precision only");
  require<InputError>(precision != Precision::bfloat16,
                      "convolutions in bfloat16 are for CPUs: expected full, tf32 or half");
}

cudnnMathType_t math_of(Precision precision) {
  switch (precision) {
    case Precision::full:
    case Precision::bfloat16:  // require_offered has refused it
      break;
    case Precision::tf32:
      return CUDNN_TENSOR_OP_MATH;
    case Precision::half:
      return CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION;
  }
  // The default would let cuDNN round float operands to TF32's ten bits.
  return CUDNN_FMA_MATH;
}

template <class T>
ConvolutionDescriptor describe_convolution(Conv2dGeometry geometry) {
  ConvolutionDescriptor descriptor("cudnnCreateConvolutionDescriptor");
  check(cudnnSetConvolution2dDescriptor(descriptor.get(), geometry.padding, geometry.padding,
                                        geometry.stride, geometry.stride, 1, 1,
                                        CUDNN_CROSS_CORRELATION, cudnn_type<T>()),
        "cudnnSetConvolution2dDescriptor");
  check(cudnnSetConvolutionMathType(descriptor.get(), math_of(geometry.precision)),
        "cudnnSetConvolutionMathType");
  return descriptor;
}

ActivationDescriptor describe_activation(cudnnActivationMode_t mode) {
  ActivationDescriptor descriptor("cudnnCreateActivationDescriptor");
  // The only choice that a convolution can be fused with.
  check(cudnnSetActivationDescriptor(descriptor.get(), mode, CUDNN_NOT_PROPAGATE_NAN, 0.0),
        "cudnnSetActivationDescriptor");
  return descriptor;
}

template void require_offered<float>(Precision);
template void require_offered<double>(Precision);
template TensorDescriptor describe_tensor<float>(const Shape&);
template TensorDescriptor describe_tensor<double>(const Shape&);
template FilterDescriptor describe_filter<float>(const Shape&);
template FilterDescriptor describe_filter<double>(const Shape&);
template ConvolutionDescriptor describe_convolution<float>(Conv2dGeometry);
template ConvolutionDescriptor describe_convolution<double>(Conv2dGeometry);

}  // namespace atomtrack::cuda
