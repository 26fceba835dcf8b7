// SPDX-License-Identifier: MIT
#include "atomtrack/tracker/model.hpp"

#include <cmath>

#include "atomtrack/tensor/random.hpp"
#include "tracker/model_implementation.hpp"

namespace atomtrack {

PlanPool::Lease PlanPool::borrow(const ResNet18<float>& backbone,
                                 const IouPredictor<float>* predictor, const Key& key) {
  {
    const std::lock_guard lock(mutex_);
    auto& free = free_[key];
    if (!free.empty()) {
      auto plan = std::move(free.back());
      free.pop_back();
      return {*this, key, std::move(plan)};
    }
  }
  return {*this, key,
          std::make_unique<FeaturePlan<float>>(backbone, predictor, key.outputs, key.side, key.side,
                                               key.precision)};
}

void PlanPool::give_back(Key key, std::unique_ptr<FeaturePlan<float>> plan) noexcept {
  const std::lock_guard lock(mutex_);
  try {
    free_[key].push_back(std::move(plan));
  } catch (const std::bad_alloc&) {
    // The plan is dropped and made anew when it is needed.
  }
}

inline namespace v1 {
namespace {

constexpr const char* backbone_prefix = "feature_extractor";
constexpr const char* predictor_prefix = "bb_regressor";

bool has_predictor(const NamedTensors& tensors) {
  const std::string prefix = std::string(predictor_prefix) + ".";
  const auto first = tensors.lower_bound(prefix);
  return first != tensors.end() && first->first.starts_with(prefix);
}

/// Weights of the scale that training starts from (He initialisation), so that activations neither
/// vanish nor explode.
NamedTensors generated_weights(std::uint64_t seed, const NamedShapes& shapes) {
  RandomSource random(seed);
  NamedTensors tensors;
  for (const auto& [name, shape] : shapes) {
    Tensor<float> tensor = Tensor<float>::zeros(shape);
    if (shape.rank() >= 2) {
      const double deviation = std::sqrt(2.0 / static_cast<double>(shape.drop(0).numel()));
      for (float& value : tensor.span()) value = static_cast<float>(random.normal(0.0, deviation));
    } else if (name.ends_with("weight") || name.ends_with("running_var")) {
      for (float& value : tensor.span()) value = 1.0F;
    }
    tensors.emplace(name, tensor);
  }
  return tensors;
}

std::shared_ptr<const Model::Implementation> assemble(const WeightsFile& file, Device device) {
  auto model = std::make_shared<Model::Implementation>();
  model->device = device;
  model->metadata = file.metadata;
  NamedShapes expected = expected_tensors(model->backbone, backbone_prefix);
  if (has_predictor(file.tensors)) {
    try {
      model->predictor.emplace(parse_iou_architecture(file.metadata.architecture));
    } catch (const InputError& error) {
      throw WeightsError(error.what());
    }
    expected.merge(expected_tensors(*model->predictor, predictor_prefix));
  }
  require_fit(expected, file.tensors);  // all that is wrong at once
  load_parameters(model->backbone, backbone_prefix, file.tensors, device);
  if (model->predictor) {
    load_parameters(*model->predictor, predictor_prefix, file.tensors, device);
    model->predictor->fold_batch_norm();
  }
  return model;
}

}  // namespace

Model::Model(std::shared_ptr<const Implementation> implementation)
    : implementation_(std::move(implementation)) {}

Model Model::load(const std::string& path, Device device) {
  const WeightsFile file = read_weights(path);
  try {
    return Model(assemble(file, device));
  } catch (const WeightsError& error) {
    throw WeightsError(path + ": " + error.what());
  }
}

Model Model::generated(std::uint64_t seed, Device device) {
  WeightsFile file;
  NamedShapes shapes = expected_tensors(ResNet18<float>(), backbone_prefix);
  shapes.merge(expected_tensors(IouPredictor<float>(), predictor_prefix));
  file.tensors = generated_weights(seed, shapes);
  return Model(assemble(file, device));
}

Device Model::device() const {
  return implementation_->device;
}
bool Model::has_iou_predictor() const {
  return implementation_->predictor.has_value();
}

}  // namespace v1
}  // namespace atomtrack
