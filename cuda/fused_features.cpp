// SPDX-License-Identifier: MIT
#include "cuda/fused_features.hpp"

#include "cuda/algorithms.hpp"
#include "cuda/workspace.hpp"

namespace atomtrack::cuda {
namespace {

/// Enough to keep a GPU busy, and at 288 x 288 pixels about 700 MB of maps.
constexpr std::int64_t images_at_once = 32;
/// What a tracker looks at in a frame, several scales included. A recording keeps all its maps.
constexpr std::int64_t images_recorded = 8;

/// cuDNN 9 tells kinds of refusal apart by the last three digits.
bool not_supported(cudnnStatus_t status) {
  constexpr int kind = 1000;
  return static_cast<int>(status) / kind == static_cast<int>(CUDNN_STATUS_NOT_SUPPORTED) / kind;
}

}  // namespace

template <class T>
FusedFeatures<T>::FusedFeatures(Primitives<T>& primitives, const FeatureProgram<T>& program,
                                int index)
    : InterpretedFeatures<T>(primitives, program, images_at_once),
      primitives_(primitives),
      index_(index),
      relu_(describe_activation(CUDNN_ACTIVATION_RELU)),
      handover_(Device::cuda(index)) {
  require_offered<T>(program.precision);
}

template <class T>
FusedFeatures<T>::~FusedFeatures() {
  handover_.take_back();
}

template <class T>
typename FusedFeatures<T>::Batch& FusedFeatures<T>::batch_for(const Tensor<T>& input,
                                                              std::span<const Tensor<T>> outputs) {
  const Device device = Device::cuda(index_);
  const auto found = batches_.find(input.extent(0));
  if (found != batches_.end()) return found->second;
  Batch batch{Tensor<T>(input.shape(), device), {}, Recording(device)};
  for (const Tensor<T>& output : outputs) batch.outputs.emplace_back(output.shape(), device);
  return batches_.emplace(input.extent(0), std::move(batch)).first->second;
}

template <class T>
void FusedFeatures<T>::run(const Tensor<T>& input, std::span<Tensor<T>> outputs) {
  handover_.take_over();
  if (input.extent(0) > images_recorded || input.numel() == 0)
    return InterpretedFeatures<T>::run(input, outputs);
  this->check_run(input, outputs);
  Batch& batch = batch_for(input, outputs);
  primitives_.copy(input, batch.input);
  batch.recording.run({batch.input.data()},
                      [&] { InterpretedFeatures<T>::run(batch.input, batch.outputs); });
  for (std::size_t i = 0; i < outputs.size(); ++i) primitives_.copy(batch.outputs[i], outputs[i]);
}

template <class T>
void FusedFeatures<T>::convolve(const Step& step, const Tensor<T>& x, const Tensor<T>& residual,
                                Tensor<T>& result) {
  // Without a ReLU cuDNN fuses for one of its algorithms alone, which need not be the fastest.
  if (step.relu && convolve_fused(step, x, residual, result)) return;
  InterpretedFeatures<T>::convolve(step, x, residual, result);
}

/// False if cuDNN does not support it; `result` is then as it was.
template <class T>
bool FusedFeatures<T>::convolve_fused(const Step& step, const Tensor<T>& x,
                                      const Tensor<T>& residual, Tensor<T>& result) {
  if (unsupported_.count(step.filter.data()) != 0) return false;
  Context& context = current_context(index_);
  const Convolution<T> of(x.shape(), step.filter.shape(), result.shape(), step.geometry);
  const TensorDescriptor bias = describe_tensor<T>(Shape{1, step.bias.numel(), 1, 1});
  const auto choice = choose_forward(context, of);
  const Workspace scratch(context.device(), choice.workspace);
  const bool adds = residual.defined();
  // What is added has the result's shape; with a factor of 0 it is not read.
  const T one{1}, factor = adds ? T{1} : T{0};
  const T* added = adds ? residual.data() : result.data();
  const cudnnStatus_t status = cudnnConvolutionBiasActivationForward(
      context.cudnn(), &one, of.x.get(), x.data(), of.w.get(), step.filter.data(),
      of.operation.get(), choice.algorithm, scratch.data(), scratch.bytes, &factor, of.y.get(),
      added, bias.get(), step.bias.data(), relu_.get(), of.y.get(), result.data());
  if (not_supported(status)) {
    unsupported_.insert(step.filter.data());
    return false;
  }
  check(status, "cudnnConvolutionBiasActivationForward");
  return true;
}

template class FusedFeatures<float>;
template class FusedFeatures<double>;

}  // namespace atomtrack::cuda
