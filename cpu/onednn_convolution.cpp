// SPDX-License-Identifier: MIT
#ifdef ATOMTRACK_WITH_ONEDNN

#include <algorithm>
#include <list>
#include <variant>

#include "cpu/convolution.hpp"
#include "cpu/onednn.hpp"
#include "cpu/parallel.hpp"

namespace atomtrack::cpu {
namespace {

enum class Direction { forward, data, filter };

struct Key {
  Direction direction;
  Shape x, w;
  Conv2dGeometry geometry;
  int threads;

  bool operator==(const Key& other) const {
    return direction == other.direction && x == other.x && w == other.w &&
           geometry == other.geometry && threads == other.threads;
  }
};

/// A prepared primitive with the layouts that it wants for its two sources and its result.
struct Prepared {
  dnnl::primitive primitive;
  dnnl::memory::desc first, second, result;
};

Prepared prepare(const Key& key) {
  const ConvolutionExtents extents(key.x, key.w, conv2d_shape(key.x, key.w, key.geometry),
                                   key.geometry);
  const DataType type =
      key.geometry.precision == Precision::bfloat16 ? DataType::bf16 : DataType::f32;
  switch (key.direction) {
    case Direction::forward: {
      const ForwardDescriptor d = forward_descriptor(extents, false, false, {}, type);
      return {dnnl::convolution_forward(d), d.src_desc(), d.weights_desc(), d.dst_desc()};
    }
    case Direction::data: {
      const DataDescriptor d = data_descriptor(extents, type);
      return {dnnl::convolution_backward_data(d), d.diff_dst_desc(), d.weights_desc(),
              d.diff_src_desc()};
    }
    case Direction::filter:
      break;
  }
  const FilterDescriptor d = filter_descriptor(extents, type);
  return {dnnl::convolution_backward_weights(d), d.diff_dst_desc(), d.src_desc(),
          d.diff_weights_desc()};
}

/// The calling thread's most recently used primitives: making one costs more than a small
/// convolution. Per thread, because a primitive's scratch memory serves one execution at a time.
const Prepared& prepared(const Key& key) {
  constexpr std::size_t capacity = 64;
  thread_local std::list<std::pair<Key, Prepared>> cache;
  const auto found = std::find_if(cache.begin(), cache.end(),
                                  [&](const auto& entry) { return entry.first == key; });
  if (found != cache.end()) {
    cache.splice(cache.begin(), cache, found);
  } else {
    cache.emplace_front(key, prepare(key));
    if (cache.size() > capacity) cache.pop_back();
  }
  return cache.front().second;
}

/// Memory in `wanted` layout over the tensor itself when its plain layout will do, otherwise over
/// pooled scratch.
struct Operand {
  Operand(const Tensor<float>& tensor, const dnnl::memory::desc& wanted, bool force_scratch = false)
      : plain(plain_layout({tensor.shape().begin(), tensor.shape().end()}), onednn_engine(),
              const_cast<float*>(tensor.data())) {  // NOLINT: oneDNN's memory has no const form;
                                                    // sources are only read
    if (wanted == plain.get_desc() && !force_scratch) {
      wanted_memory = plain;
    } else {
      scratch = Tensor<float>(Shape{static_cast<std::int64_t>((wanted.get_size() + 3) / 4)});
      wanted_memory = dnnl::memory(wanted, onednn_engine(), scratch.data());
    }
  }

  bool reordered() const { return scratch.defined(); }
  void read() {
    if (reordered())
      dnnl::reorder(plain, wanted_memory).execute(onednn_stream(), plain, wanted_memory);
  }
  void write_back() {
    if (reordered())
      dnnl::reorder(wanted_memory, plain).execute(onednn_stream(), wanted_memory, plain);
  }

  dnnl::memory plain, wanted_memory;
  Tensor<float> scratch;
};

void run(const Key& key, const Tensor<float>& first, int first_argument,
         const Tensor<float>& second, int second_argument, Write write, Tensor<float>& result,
         int result_argument) {
  checked_call("a convolution", [&] {
    const Prepared& ready = prepared(key);
    Operand a(first, ready.first), b(second, ready.second);
    a.read();
    b.read();
    if (write == Write::overwrite) {
      Operand c(result, ready.result);
      ready.primitive.execute(onednn_stream(), {{first_argument, a.wanted_memory},
                                                {second_argument, b.wanted_memory},
                                                {result_argument, c.wanted_memory}});
      c.write_back();
    } else {
      Tensor<float> sum(result.shape());
      Operand c(sum, ready.result);
      ready.primitive.execute(onednn_stream(), {{first_argument, a.wanted_memory},
                                                {second_argument, b.wanted_memory},
                                                {result_argument, c.wanted_memory}});
      c.write_back();
      for (std::int64_t i = 0; i < result.numel(); ++i) result.data()[i] += sum.data()[i];
    }
    onednn_stream().wait();
  });
}

}  // namespace

bool OneDnnConvolution::offers(Precision precision) {
  return precision == Precision::full ||
         (precision == Precision::bfloat16 && multiplies_bfloat16());
}

void OneDnnConvolution::forward(const Tensor<float>& x, const Tensor<float>& w,
                                Conv2dGeometry geometry, Tensor<float>& y) {
  run({Direction::forward, x.shape(), w.shape(), geometry, threads()}, x, DNNL_ARG_SRC, w,
      DNNL_ARG_WEIGHTS, Write::overwrite, y, DNNL_ARG_DST);
}

void OneDnnConvolution::data_adjoint(const Tensor<float>& gy, const Tensor<float>& w,
                                     Conv2dGeometry geometry, Write write, Tensor<float>& gx) {
  run({Direction::data, gx.shape(), w.shape(), geometry, threads()}, gy, DNNL_ARG_DIFF_DST, w,
      DNNL_ARG_WEIGHTS, write, gx, DNNL_ARG_DIFF_SRC);
}

void OneDnnConvolution::filter_adjoint(const Tensor<float>& gy, const Tensor<float>& x,
                                       Conv2dGeometry geometry, Write write, Tensor<float>& gw) {
  run({Direction::filter, x.shape(), gw.shape(), geometry, threads()}, gy, DNNL_ARG_DIFF_DST, x,
      DNNL_ARG_SRC, write, gw, DNNL_ARG_DIFF_WEIGHTS);
}

}  // namespace atomtrack::cpu

#endif
