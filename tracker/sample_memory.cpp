// SPDX-License-Identifier: MIT
#include "atomtrack/tracker/sample_memory.hpp"

#include <algorithm>
#include <numeric>

#include "atomtrack/primitives/primitives.hpp"

namespace atomtrack {

SampleWeights::SampleWeights(int slots, int initial, double minimum)
    : weights_(static_cast<std::size_t>(std::max(slots, 0)), 0.0F),
      initial_(initial),
      minimum_(minimum) {
  require<InputError>(initial >= 1 && slots > initial && minimum >= 0.0 && minimum <= 1.0,
                      "sample memory of ", slots, " slots for ", initial,
                      " first samples of total weight ", minimum,
                      " at least: expected room for one more and a weight in [0, 1]");
  std::fill_n(weights_.begin(), initial, 1.0F / static_cast<float>(initial));
}

int SampleWeights::add(double rate) {
  const auto share = static_cast<float>(rate);
  const auto first_free = weights_.begin() + (minimum_ > 0.0 ? initial_ : 0);
  const auto slot = std::min_element(first_free, weights_.end());
  if (previous_ < 0) {
    for (float& weight : weights_) weight /= 1.0F - share;
    *slot = share;
  } else {
    *slot = weights_[static_cast<std::size_t>(previous_)] / (1.0F - share);
  }
  previous_ = static_cast<int>(slot - weights_.begin());

  const float total = std::accumulate(weights_.begin(), weights_.end(), 0.0F);
  for (float& weight : weights_) weight /= total;
  const auto end_of_initial = weights_.begin() + initial_;
  if (minimum_ > 0.0 &&
      std::accumulate(weights_.begin(), end_of_initial, 0.0F) < static_cast<float>(minimum_)) {
    const float others = std::accumulate(end_of_initial, weights_.end(), 0.0F);
    for (float& weight : weights_) weight /= static_cast<float>(minimum_) + others;
    std::fill(weights_.begin(), end_of_initial,
              static_cast<float>(minimum_) / static_cast<float>(initial_));
  }
  return previous_;
}

SampleMemory::SampleMemory(const Tensor<float>& samples, const Tensor<float>& labels,
                           const Options& options)
    : rule_(options.memory_size, static_cast<int>(samples.extent(0)),
            options.initial_samples_minimum_weight) {
  const Device device = samples.device();
  const std::int64_t slots = options.memory_size;
  samples_ = Tensor<float>::zeros(samples.shape().with(0, slots), device);
  labels_ = Tensor<float>::zeros(labels.shape().with(0, slots), device);
  weights_ = Tensor<float>(Shape{slots}, std::span<const float>(rule_.weights()), device);
  Tensor<float> first_samples = samples_.slice(0, samples.extent(0));
  Tensor<float> first_labels = labels_.slice(0, labels.extent(0));
  primitives_for<float>(device).copy(samples, first_samples);
  primitives_for<float>(device).copy(labels, first_labels);
}

SampleMemory SampleMemory::on(Device device) const {
  SampleMemory copy = *this;
  copy.samples_ = samples_.to(device);
  copy.labels_ = labels_.to(device);
  copy.weights_ = weights_.to(device);
  return copy;
}

void SampleMemory::add(const Tensor<float>& sample, const Tensor<float>& label, double rate) {
  const int slot = rule_.add(rate);
  Tensor<float> sample_slot = samples_.slice(slot, 1);
  Tensor<float> label_slot = labels_.slice(slot, 1);
  primitives_for<float>(sample.device()).copy(sample, sample_slot);
  primitives_for<float>(label.device()).copy(label, label_slot);
  device_memory(weights_.device())
      .copy_from_host(weights_.data(), rule_.weights().data(), weights_.bytes());
}

}  // namespace atomtrack
