// SPDX-License-Identifier: MIT
#ifdef ATOMTRACK_WITH_ONEDNN

#include "cpu/onednn_features.hpp"

#include <unordered_map>
#include <utility>

#include "atomtrack/primitives/checks.hpp"
#include "cpu/convolution.hpp"
#include "cpu/onednn.hpp"

namespace atomtrack::cpu {
namespace {

using Arguments = std::unordered_map<int, dnnl::memory>;

/// How many floats take at least `bytes`.
std::int64_t floats_in(std::size_t bytes) {
  return static_cast<std::int64_t>((bytes + sizeof(float) - 1) / sizeof(float));
}

/// A frozen network in oneDNN's own layouts: bias, residual sum and ReLU fused behind each
/// convolution, filters packed once. One image at a time, all threads on it: a batch needs no more
/// scratch memory than a frame.
class OneDnnFeatures final : public CompiledFeatures<float> {
 public:
  explicit OneDnnFeatures(const FeatureProgram<float>& program)
      : program_(program),
        type_(program.precision == Precision::bfloat16 ? DataType::bf16 : DataType::f32),
        shapes_(program.value_shapes()),
        values_(shapes_.size()),
        block_of_(shapes_.size(), no_block) {
    find_last_uses();
    values_[0] = dnnl::memory(plain_layout(dims(0)), onednn_engine(), nullptr);
    for (std::size_t i = 0; i < program_.steps.size(); ++i) {
      if (program_.steps[i].kind == FeatureProgram<float>::Step::Kind::max_pool) {
        add_max_pool(i);
      } else {
        add_convolution(i);
      }
      release_after(i);
    }
    for (const std::size_t output : program_.outputs) {
      outputs_.emplace_back(plain_layout(dims(output)), onednn_engine(), nullptr);
      output_reorders_.emplace_back(values_[output], outputs_.back());
    }
    program_.steps.clear();  // the packed filters are all that is needed now
  }

  void run(const Tensor<float>& input, std::span<Tensor<float>> outputs) override {
    check(input, outputs);
    checked_call("the frozen features", [&] {
      dnnl::stream& stream = onednn_stream();
      for (std::int64_t n = 0; n < input.extent(0); ++n) {
        const Tensor<float> image = input.slice(n, 1);
        values_[0].set_data_handle(
            const_cast<float*>(image.data()));  // NOLINT: the source is only read
        for (const auto& [primitive, arguments] : operations_) primitive.execute(stream, arguments);
        for (std::size_t i = 0; i < outputs_.size(); ++i) {
          outputs_[i].set_data_handle(outputs[i].slice(n, 1).data());
          output_reorders_[i].execute(stream, values_[program_.outputs[i]], outputs_[i]);
        }
        stream.wait();
      }
    });
  }

 private:
  void find_last_uses() {
    last_use_.assign(shapes_.size(), 0);
    for (std::size_t i = 0; i < program_.steps.size(); ++i) {
      last_use_[program_.steps[i].input] = i;
      if (program_.steps[i].has_residual) last_use_[program_.steps[i].residual] = i;
    }
    for (const std::size_t output : program_.outputs) last_use_[output] = program_.steps.size();
  }

  dnnl::memory::dims dims(std::size_t value) const {
    const Shape& s = shapes_[value];
    return {1, s[0], s[1], s[2]};
  }

  static constexpr std::size_t no_block = static_cast<std::size_t>(-1);

  /// A piece of scratch memory of at least `bytes`: the smallest that fits of those that nothing
  /// needs any more, or a new one.
  std::size_t acquire(std::size_t bytes) {
    const std::int64_t elements = floats_in(bytes);
    auto best = free_blocks_.end();
    for (auto it = free_blocks_.begin(); it != free_blocks_.end(); ++it) {
      const std::int64_t size = scratch_[*it].numel();
      if (size >= elements && (best == free_blocks_.end() || size < scratch_[*best].numel()))
        best = it;
    }
    if (best == free_blocks_.end()) {
      scratch_.emplace_back(Shape{elements});
      return scratch_.size() - 1;
    }
    const std::size_t block = *best;
    free_blocks_.erase(best);
    return block;
  }

  dnnl::memory memory_in(std::size_t block, const dnnl::memory::desc& layout) {
    return {layout, onednn_engine(), scratch_[block].data()};
  }

  /// Memory for value `v`, kept until its last use.
  dnnl::memory value_memory(std::size_t v, const dnnl::memory::desc& layout) {
    block_of_[v] = acquire(layout.get_size());
    return memory_in(block_of_[v], layout);
  }

  /// Gives back the memory of what step i was the last to need.
  void release_after(std::size_t i) {
    for (std::size_t v = 0; v <= i; ++v) {
      if (last_use_[v] != i || block_of_[v] == no_block) continue;
      free_blocks_.push_back(std::exchange(block_of_[v], no_block));
    }
    free_blocks_.insert(free_blocks_.end(), copies_.begin(), copies_.end());
    copies_.clear();
  }

  /// `memory` in `layout`: itself, or a copy that every run makes anew.
  dnnl::memory in_layout(const dnnl::memory& memory, const dnnl::memory::desc& layout) {
    if (memory.get_desc() == layout) return memory;
    copies_.push_back(acquire(layout.get_size()));
    dnnl::memory copy = memory_in(copies_.back(), layout);
    operations_.push_back(
        {dnnl::reorder(memory, copy), {{DNNL_ARG_FROM, memory}, {DNNL_ARG_TO, copy}}});
    return copy;
  }

  /// A parameter in the layout that its primitive wants, packed now.
  dnnl::memory packed(const Tensor<float>& parameter, const dnnl::memory::desc& layout) {
    const Tensor<float> kept = parameter.clone();
    dnnl::memory plain(plain_layout({kept.shape().begin(), kept.shape().end()}), onednn_engine(),
                       const_cast<float*>(kept.data()));  // NOLINT: the source is only read
    packed_.emplace_back(Shape{floats_in(layout.get_size())});
    dnnl::memory memory(layout, onednn_engine(), packed_.back().data());
    dnnl::reorder(plain, memory).execute(onednn_stream(), plain, memory);
    onednn_stream().wait();
    return memory;
  }

  void add_max_pool(std::size_t i) {
    const auto& step = program_.steps[i];
    const auto descriptor =
        max_pool_descriptor(values_[step.input].get_desc(), dims(i + 1), step.pool);
    values_[i + 1] = value_memory(i + 1, descriptor.dst_desc());
    operations_.push_back({dnnl::pooling_forward(descriptor),
                           {{DNNL_ARG_SRC, values_[step.input]}, {DNNL_ARG_DST, values_[i + 1]}}});
  }

  void add_convolution(std::size_t i) {
    const auto& step = program_.steps[i];
    const Shape& from = shapes_[step.input];
    const Shape& to = shapes_[i + 1];
    const ConvolutionExtents extents({1, from[0], from[1], from[2]}, step.filter.shape(),
                                     {1, to[0], to[1], to[2]}, step.geometry);
    dnnl::post_ops fused;
    if (step.has_residual) fused.append_sum(1.0F);
    if (step.relu) append_relu(fused);
    dnnl::primitive_attr attributes;
    attributes.set_post_ops(fused);
    const ForwardDescriptor descriptor =
        forward_descriptor(extents, false, true, attributes, type_);
    values_[i + 1] = result_memory(i, descriptor.dst_desc());
    const dnnl::memory source = in_layout(values_[step.input], descriptor.src_desc());
    operations_.push_back({dnnl::convolution_forward(descriptor),
                           {{DNNL_ARG_SRC, source},
                            {DNNL_ARG_WEIGHTS, packed(step.filter, descriptor.weights_desc())},
                            {DNNL_ARG_BIAS, packed(step.bias, descriptor.bias_desc())},
                            {DNNL_ARG_DST, values_[i + 1]}}});
  }

  /// Where step i writes. A residual is added to what is there: the result takes the residual's
  /// place when nobody else needs it, and a copy of it otherwise.
  dnnl::memory result_memory(std::size_t i, const dnnl::memory::desc& layout) {
    const auto& step = program_.steps[i];
    if (!step.has_residual) return value_memory(i + 1, layout);
    const dnnl::memory& residual = values_[step.residual];
    const bool free_to_take =
        last_use_[step.residual] == i && step.residual != step.input && step.residual != 0;
    if (free_to_take && residual.get_desc() == layout) {
      block_of_[i + 1] = std::exchange(block_of_[step.residual], no_block);
      return residual;
    }
    dnnl::memory copy = value_memory(i + 1, layout);
    operations_.push_back(
        {dnnl::reorder(residual, copy), {{DNNL_ARG_FROM, residual}, {DNNL_ARG_TO, copy}}});
    return copy;
  }

  void check(const Tensor<float>& input, std::span<Tensor<float>> outputs) const {
    const Shape& s = shapes_[0];
    checks::same_shape("features", {input.extent(0), s[0], s[1], s[2]}, input.shape());
    require<ShapeError>(outputs.size() == program_.outputs.size(), "features: ", outputs.size(),
                        " outputs for a program of ", program_.outputs.size());
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const Shape& made = shapes_[program_.outputs[i]];
      checks::same_shape("features", {input.extent(0), made[0], made[1], made[2]},
                         outputs[i].shape());
    }
  }

  struct Operation {
    dnnl::primitive primitive;
    Arguments arguments;
  };

  FeatureProgram<float> program_;
  DataType type_;  // of filters and of what convolutions read and write
  std::vector<Shape> shapes_;
  std::vector<std::size_t> last_use_;
  std::vector<dnnl::memory> values_;
  std::vector<std::size_t> block_of_;  // the piece of scratch memory that holds each value
  std::vector<Tensor<float>> scratch_;
  std::vector<std::size_t> free_blocks_;  // while compiling: pieces that nothing needs any more
  std::vector<std::size_t> copies_;    // while compiling: pieces that only the present step needs
  std::vector<Tensor<float>> packed_;  // filters and biases
  std::vector<Operation> operations_;
  std::vector<dnnl::memory> outputs_;
  std::vector<dnnl::reorder> output_reorders_;
};

}  // namespace

std::unique_ptr<CompiledFeatures<float>> compile_with_onednn(const FeatureProgram<float>& program) {
  if (!OneDnnConvolution::offers(program.precision))
    checks::full_precision(program.precision, "cpu");
  return checked_call("preparing the frozen features",
                      [&] { return std::make_unique<OneDnnFeatures>(program); });
}

}  // namespace atomtrack::cpu

#endif
