// SPDX-License-Identifier: MIT
#pragma once

#include <oneapi/dnnl/dnnl.hpp>
#include <vector>

#include "atomtrack/primitives/geometry.hpp"

// What differs between oneDNN 2 (Debian 12) and 3 (newer systems) is in this header and onednn.cpp;
// oneDNN itself is named only in the files onednn*.{hpp,cpp}.

namespace atomtrack::cpu {

/// The extents of a convolution, as memory dimensions.
struct ConvolutionExtents {
  ConvolutionExtents(const Shape& x, const Shape& w, const Shape& y, Conv2dGeometry geometry);

  dnnl::memory::dims x, w, bias, y, strides, padding_before, padding_after;
};

using DataType = dnnl::memory::data_type;

/// A memory descriptor in the library's preferred layout, or of floats in plain NCHW / OIHW /
/// vector.
dnnl::memory::desc any_layout(const dnnl::memory::dims& dims, DataType type = DataType::f32);
dnnl::memory::desc plain_layout(const dnnl::memory::dims& dims);

/// Runs a oneDNN call and turns its exception into a DeviceError that names `what`.
template <class F>
auto checked_call(const char* what, F f) -> decltype(f()) {
  try {
    return f();
  } catch (const dnnl::error& error) {
    throw DeviceError(concatenate("oneDNN failed in ", what, ": ", error.message, " (status ",
                                  error.status, ")"));
  }
}

/// Whether this CPU multiplies bfloat16 numbers.
bool multiplies_bfloat16();

const dnnl::engine& onednn_engine();
/// The calling thread's stream, with `threads()` threads applied.
dnnl::stream& onednn_stream();

using ForwardDescriptor = dnnl::convolution_forward::primitive_desc;
using DataDescriptor = dnnl::convolution_backward_data::primitive_desc;
using FilterDescriptor = dnnl::convolution_backward_weights::primitive_desc;

/// Forward convolution descriptors with layouts of the library's choice; without a bias unless
/// asked for, which is always of floats.
ForwardDescriptor forward_descriptor(const ConvolutionExtents& extents, bool training, bool bias,
                                     const dnnl::primitive_attr& attributes,
                                     DataType type = DataType::f32);
/// The adjoints; factors are of `type`, a filter's gradient is of floats.
DataDescriptor data_descriptor(const ConvolutionExtents& extents, DataType type = DataType::f32);
FilterDescriptor filter_descriptor(const ConvolutionExtents& extents,
                                   DataType type = DataType::f32);
dnnl::pooling_forward::primitive_desc max_pool_descriptor(const dnnl::memory::desc& source,
                                                          const dnnl::memory::dims& result,
                                                          Pool2dGeometry geometry);

/// Appends y = max(y, 0) to what is fused behind a convolution.
void append_relu(dnnl::post_ops& operations);

}  // namespace atomtrack::cpu
