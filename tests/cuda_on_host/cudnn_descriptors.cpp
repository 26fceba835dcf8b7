// SPDX-License-Identifier: MIT
// The real cuDNN's functions that make, fill and destroy descriptors, with a chance to fail first.
#include <cudnn.h>
#include <dlfcn.h>

#include <mutex>
#include <set>

#include "cuda_on_host/device_memory.hpp"
#include "cuda_on_host/fatal.hpp"
#include "cuda_on_host/faults.hpp"

namespace cuda_on_host {
namespace {

/// Guarded by device_mutex().
std::set<const void*>& descriptors() {
  static auto* instance = new std::set<const void*>;
  return *instance;
}

/// The function of that name in the library that comes after this program.
template <class Function>
Function real(const char* name, Function) {
  void* address = dlsym(RTLD_NEXT, name);
  if (address == nullptr) fatal(std::string("cuDNN has no function ") + name);
  return reinterpret_cast<Function>(address);
}

template <class Descriptor, class Create>
cudnnStatus_t create(const char* name, Create create, const void* site, Descriptor* descriptor) {
  if (fault(name, site)) return CUDNN_STATUS_ALLOC_FAILED;
  const cudnnStatus_t status = real(name, create)(descriptor);
  const std::lock_guard lock(device_mutex());
  if (status == CUDNN_STATUS_SUCCESS) descriptors().insert(*descriptor);
  return status;
}

/// A failure to destroy is reported after the deed: what could not be given back cannot be helped.
template <class Descriptor, class Destroy>
cudnnStatus_t destroy(const char* name, Destroy destroy, const void* site, Descriptor descriptor) {
  const bool fails = fault(name, site);
  const cudnnStatus_t status = real(name, destroy)(descriptor);
  const std::lock_guard lock(device_mutex());
  descriptors().erase(descriptor);
  return fails ? CUDNN_STATUS_INTERNAL_ERROR : status;
}

template <class Set, class... Arguments>
cudnnStatus_t set(const char* name, Set set, const void* site, Arguments... arguments) {
  return fault(name, site) ? CUDNN_STATUS_BAD_PARAM : real(name, set)(arguments...);
}

}  // namespace

std::size_t live_descriptors() {
  return descriptors().size();
}

}  // namespace cuda_on_host

using namespace cuda_on_host;  // NOLINT: the library's own functions follow

extern "C" {

cudnnStatus_t cudnnCreateTensorDescriptor(cudnnTensorDescriptor_t* descriptor) {
  return create(__func__, cudnnCreateTensorDescriptor, __builtin_return_address(0), descriptor);
}
cudnnStatus_t cudnnCreateFilterDescriptor(cudnnFilterDescriptor_t* descriptor) {
  return create(__func__, cudnnCreateFilterDescriptor, __builtin_return_address(0), descriptor);
}
cudnnStatus_t cudnnCreateConvolutionDescriptor(cudnnConvolutionDescriptor_t* descriptor) {
  return create(__func__, cudnnCreateConvolutionDescriptor, __builtin_return_address(0),
                descriptor);
}
cudnnStatus_t cudnnCreateActivationDescriptor(cudnnActivationDescriptor_t* descriptor) {
  return create(__func__, cudnnCreateActivationDescriptor, __builtin_return_address(0), descriptor);
}

cudnnStatus_t cudnnDestroyTensorDescriptor(cudnnTensorDescriptor_t descriptor) {
  return destroy(__func__, cudnnDestroyTensorDescriptor, __builtin_return_address(0), descriptor);
}
cudnnStatus_t cudnnDestroyFilterDescriptor(cudnnFilterDescriptor_t descriptor) {
  return destroy(__func__, cudnnDestroyFilterDescriptor, __builtin_return_address(0), descriptor);
}
cudnnStatus_t cudnnDestroyConvolutionDescriptor(cudnnConvolutionDescriptor_t descriptor) {
  return destroy(__func__, cudnnDestroyConvolutionDescriptor, __builtin_return_address(0),
                 descriptor);
}
cudnnStatus_t cudnnDestroyActivationDescriptor(cudnnActivationDescriptor_t descriptor) {
  return destroy(__func__, cudnnDestroyActivationDescriptor, __builtin_return_address(0),
                 descriptor);
}

cudnnStatus_t cudnnSetTensor4dDescriptor(cudnnTensorDescriptor_t descriptor,
                                         cudnnTensorFormat_t format, cudnnDataType_t type, int n,
                                         int c, int h, int w) {
  return set(__func__, cudnnSetTensor4dDescriptor, __builtin_return_address(0), descriptor, format,
             type, n, c, h, w);
}
cudnnStatus_t cudnnSetFilter4dDescriptor(cudnnFilterDescriptor_t descriptor, cudnnDataType_t type,
                                         cudnnTensorFormat_t format, int k, int c, int h, int w) {
  return set(__func__, cudnnSetFilter4dDescriptor, __builtin_return_address(0), descriptor, type,
             format, k, c, h, w);
}
cudnnStatus_t cudnnSetConvolution2dDescriptor(cudnnConvolutionDescriptor_t descriptor, int pad_h,
                                              int pad_w, int stride_h, int stride_w, int dilation_h,
                                              int dilation_w, cudnnConvolutionMode_t mode,
                                              cudnnDataType_t type) {
  return set(__func__, cudnnSetConvolution2dDescriptor, __builtin_return_address(0), descriptor,
             pad_h, pad_w, stride_h, stride_w, dilation_h, dilation_w, mode, type);
}
cudnnStatus_t cudnnSetConvolutionMathType(cudnnConvolutionDescriptor_t descriptor,
                                          cudnnMathType_t type) {
  return set(__func__, cudnnSetConvolutionMathType, __builtin_return_address(0), descriptor, type);
}
cudnnStatus_t cudnnSetActivationDescriptor(cudnnActivationDescriptor_t descriptor,
                                           cudnnActivationMode_t mode, cudnnNanPropagation_t nan,
                                           double coefficient) {
  return set(__func__, cudnnSetActivationDescriptor, __builtin_return_address(0), descriptor, mode,
             nan, coefficient);
}

}  // extern "C"
