// SPDX-License-Identifier: MIT
#ifdef ATOMTRACK_WITH_ONEDNN

#include "cpu/onednn.hpp"

#include <omp.h>
#include <pthread.h>

#include <atomic>
#include <csignal>

#include "cpu/blas.hpp"
#include "cpu/parallel.hpp"

namespace atomtrack::cpu {
namespace {

dnnl::memory::dims dims_of(const Shape& shape) {
  return {shape.begin(), shape.end()};
}

constexpr auto direct = dnnl::algorithm::convolution_direct;

dnnl::prop_kind forward_kind(bool training) {
  return training ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference;
}

/// An empty one where there is no bias.
dnnl::memory::desc bias_layout(const ConvolutionExtents& extents, bool bias) {
  return bias ? plain_layout(extents.bias) : dnnl::memory::desc();
}

/// Keeps signals from the calling thread, and oneDNN from other threads than it, for as long as it
/// lives. Before version 3.12, dnnl_sgemm lets the stack pointer point into its workspace on the
/// heap: the frame of a handler that is called then overwrites what lies before it
/// (https://github.com/uxlfoundation/oneDNN/issues/4845). Signals wait until the product is done.
/// Those that an instruction itself raises are let through: they cannot wait.
class Undisturbed {
 public:
  Undisturbed() {
    sigset_t held;
    sigfillset(&held);
    for (const int raised : {SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP}) sigdelset(&held, raised);
    pthread_sigmask(SIG_SETMASK, &held, &before_);
    omp_set_num_threads(1);
  }
  ~Undisturbed() {
    omp_set_num_threads(threads_before_);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  Undisturbed(const Undisturbed&) = delete;
  Undisturbed& operator=(const Undisturbed&) = delete;

 private:
  sigset_t before_{};
  int threads_before_ = omp_get_max_threads();
};

/// Multiplications that are worth a second thread.
constexpr std::int64_t gemm_grain = 1 << 17;

}  // namespace

ConvolutionExtents::ConvolutionExtents(const Shape& x_shape, const Shape& w_shape,
                                       const Shape& y_shape, Conv2dGeometry geometry)
    : x(dims_of(x_shape)),
      w(dims_of(w_shape)),
      bias{w_shape[0]},
      y(dims_of(y_shape)),
      strides{geometry.stride, geometry.stride},
      padding_before{geometry.padding, geometry.padding} {
  // The far side is padded by what the last window reaches over, which an odd size may make less.
  for (int axis = 2; axis < 4; ++axis) {
    padding_after.push_back((y_shape[axis] - 1) * geometry.stride + w_shape[axis] - x_shape[axis] -
                            geometry.padding);
  }
}

dnnl::memory::desc any_layout(const dnnl::memory::dims& dims, DataType type) {
  return {dims, type, dnnl::memory::format_tag::any};
}

dnnl::memory::desc plain_layout(const dnnl::memory::dims& dims) {
  using Tag = dnnl::memory::format_tag;
  return {dims, DataType::f32, dims.size() == 1 ? Tag::a : Tag::abcd};
}

bool multiplies_bfloat16() {
  // The library's sets of instructions are sets of bits.
  const auto has = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
  const auto wanted = static_cast<unsigned>(dnnl::cpu_isa::avx512_core_bf16);
  return (has & wanted) == wanted;
}

// Never destroyed: primitives cached by threads that end late still refer to it.
const dnnl::engine& onednn_engine() {
  static const auto* engine = new dnnl::engine(dnnl::engine::kind::cpu, 0);
  return *engine;
}

dnnl::stream& onednn_stream() {
  apply_thread_setting();
  thread_local dnnl::stream stream(onednn_engine());
  return stream;
}

void onednn_gemm(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k,
                 const float* a, std::int64_t lda, const float* b, std::int64_t ldb, float beta,
                 float* c, std::int64_t ldc) {
  apply_thread_setting();
  std::atomic<dnnl_status_t> failure = dnnl_success;
  const auto multiply = [&](std::int64_t rows, std::int64_t columns, const float* from_a,
                            const float* from_b, float* to) {
    const Undisturbed undisturbed;
    const dnnl_status_t status =
        dnnl_sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', rows, columns, k, 1.0F, from_a,
                   lda, from_b, ldb, beta, to, ldc);
    if (status != dnnl_success) failure = status;
  };
  // Each thread makes a part of C: a range of its columns, or of its rows where those are more.
  if (n >= m) {
    parallel_for(n, gemm_grain / (m * k) + 1, [&](std::int64_t begin, std::int64_t end) {
      multiply(m, end - begin, a, b + (transpose_b ? begin * ldb : begin), c + begin);
    });
  } else {
    parallel_for(m, gemm_grain / (n * k) + 1, [&](std::int64_t begin, std::int64_t end) {
      multiply(end - begin, n, a + (transpose_a ? begin : begin * lda), b, c + begin * ldc);
    });
  }
  require<DeviceError>(failure == dnnl_success, "oneDNN failed in dnnl_sgemm of ", m, "x", n, "x",
                       k, " (status ", static_cast<int>(failure.load()), ")");
}

#if DNNL_VERSION_MAJOR >= 3

ForwardDescriptor forward_descriptor(const ConvolutionExtents& e, bool training, bool bias,
                                     const dnnl::primitive_attr& attributes, DataType type) {
  return {onednn_engine(),
          forward_kind(training),
          direct,
          any_layout(e.x, type),
          any_layout(e.w, type),
          bias_layout(e, bias),
          any_layout(e.y, type),
          e.strides,
          e.padding_before,
          e.padding_after,
          attributes};
}

DataDescriptor data_descriptor(const ConvolutionExtents& e, DataType type) {
  return {onednn_engine(),
          direct,
          any_layout(e.x, type),
          any_layout(e.w, type),
          any_layout(e.y, type),
          e.strides,
          e.padding_before,
          e.padding_after,
          forward_descriptor(e, true, false, {}, type)};
}

FilterDescriptor filter_descriptor(const ConvolutionExtents& e, DataType type) {
  return {onednn_engine(),
          direct,
          any_layout(e.x, type),
          any_layout(e.w),
          any_layout(e.y, type),
          e.strides,
          e.padding_before,
          e.padding_after,
          forward_descriptor(e, true, false, {}, type)};
}

dnnl::pooling_forward::primitive_desc max_pool_descriptor(const dnnl::memory::desc& source,
                                                          const dnnl::memory::dims& result,
                                                          Pool2dGeometry g) {
  return {onednn_engine(),
          dnnl::prop_kind::forward_inference,
          dnnl::algorithm::pooling_max,
          source,
          any_layout(result, source.get_data_type()),
          {g.stride, g.stride},
          {g.window, g.window},
          {0, 0},
          {g.padding, g.padding},
          {g.padding, g.padding}};
}

void append_relu(dnnl::post_ops& operations) {
  operations.append_eltwise(dnnl::algorithm::eltwise_relu, 0.0F, 0.0F);
}

#else

ForwardDescriptor forward_descriptor(const ConvolutionExtents& e, bool training, bool bias,
                                     const dnnl::primitive_attr& attributes, DataType type) {
  const dnnl::convolution_forward::desc operation(
      forward_kind(training), direct, any_layout(e.x, type), any_layout(e.w, type),
      bias_layout(e, bias), any_layout(e.y, type), e.strides, e.padding_before, e.padding_after);
  return {operation, attributes, onednn_engine()};
}

DataDescriptor data_descriptor(const ConvolutionExtents& e, DataType type) {
  const dnnl::convolution_backward_data::desc operation(
      direct, any_layout(e.x, type), any_layout(e.w, type), any_layout(e.y, type), e.strides,
      e.padding_before, e.padding_after);
  return {operation, onednn_engine(), forward_descriptor(e, true, false, {}, type)};
}

FilterDescriptor filter_descriptor(const ConvolutionExtents& e, DataType type) {
  const dnnl::convolution_backward_weights::desc operation(
      direct, any_layout(e.x, type), any_layout(e.w), any_layout(e.y, type), e.strides,
      e.padding_before, e.padding_after);
  return {operation, onednn_engine(), forward_descriptor(e, true, false, {}, type)};
}

dnnl::pooling_forward::primitive_desc max_pool_descriptor(const dnnl::memory::desc& source,
                                                          const dnnl::memory::dims& result,
                                                          Pool2dGeometry g) {
  const dnnl::pooling_forward::desc operation(
      dnnl::prop_kind::forward_inference, dnnl::algorithm::pooling_max, source,
      any_layout(result, source.data_type()), {g.stride, g.stride}, {g.window, g.window},
      {g.padding, g.padding}, {g.padding, g.padding});
  return {operation, onednn_engine()};
}

void append_relu(dnnl::post_ops& operations) {
  operations.append_eltwise(1.0F, dnnl::algorithm::eltwise_relu, 0.0F, 0.0F);
}

#endif

}  // namespace atomtrack::cpu

#endif
