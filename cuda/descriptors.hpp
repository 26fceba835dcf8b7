// SPDX-License-Identifier: MIT
#pragma once

#include <type_traits>
#include <utility>

#include "atomtrack/primitives/geometry.hpp"
#include "cuda/error.hpp"

namespace atomtrack::cuda {

/// A cuDNN descriptor that destroys itself.
template <class Handle, cudnnStatus_t (*create)(Handle*), cudnnStatus_t (*destroy)(Handle)>
class Descriptor {
 public:
  /// `creating` names the function `create`, for messages.
  explicit Descriptor(const char* creating) { check(create(&handle_), creating); }
  Descriptor(Descriptor&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (handle_ != nullptr) static_cast<void>(destroy(handle_));
  }
  Handle get() const { return handle_; }

 private:
  Handle handle_ = nullptr;
};

using TensorDescriptor =
    Descriptor<cudnnTensorDescriptor_t, cudnnCreateTensorDescriptor, cudnnDestroyTensorDescriptor>;
using FilterDescriptor =
    Descriptor<cudnnFilterDescriptor_t, cudnnCreateFilterDescriptor, cudnnDestroyFilterDescriptor>;
using ConvolutionDescriptor =
    Descriptor<cudnnConvolutionDescriptor_t, cudnnCreateConvolutionDescriptor,
               cudnnDestroyConvolutionDescriptor>;
using ActivationDescriptor =
    Descriptor<cudnnActivationDescriptor_t, cudnnCreateActivationDescriptor,
               cudnnDestroyActivationDescriptor>;

template <class T>
constexpr cudnnDataType_t cudnn_type() {
  return std::is_same_v<T, float> ? CUDNN_DATA_FLOAT : CUDNN_DATA_DOUBLE;
}

/// A dense tensor [N,C,H,W].
template <class T>
TensorDescriptor describe_tensor(const Shape& shape);
/// A dense filter [Cout,Cin,Kh,Kw].
template <class T>
FilterDescriptor describe_filter(const Shape& shape);
/// Throws InputError for a precision that a GPU does not multiply numbers of type T in.
template <class T>
void require_offered(Precision precision);
/// What cuDNN calls a precision.
cudnnMathType_t math_of(Precision precision);
/// A cross-correlation with sums in T.
template <class T>
ConvolutionDescriptor describe_convolution(Conv2dGeometry geometry);
ActivationDescriptor describe_activation(cudnnActivationMode_t mode);

}  // namespace atomtrack::cuda
