// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "atomtrack/layers/feature_plan.hpp"
#include "atomtrack/tracker/model.hpp"
#include "atomtrack/weights/weights_file.hpp"

namespace atomtrack {

/// Compiled feature plans that nobody is using. A plan serves one thread at a time; trackers borrow
/// one for the length of a call, so that a hundred trackers in one thread share one plan and its
/// scratch memory. Thread-safe.
class PlanPool {
 public:
  /// A borrowed plan, given back when this goes.
  class Lease {
   public:
    Lease(PlanPool& pool, std::pair<unsigned, int> key, std::unique_ptr<FeaturePlan<float>> plan)
        : pool_(pool), key_(key), plan_(std::move(plan)) {}
    ~Lease() { pool_.give_back(key_, std::move(plan_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    FeaturePlan<float>* operator->() const { return plan_.get(); }

   private:
    PlanPool& pool_;
    std::pair<unsigned, int> key_;
    std::unique_ptr<FeaturePlan<float>> plan_;
  };

  /// A plan with these outputs for crops of `side` pixels; made if none is free.
  Lease borrow(const ResNet18<float>& backbone, const IouPredictor<float>* predictor,
               unsigned outputs, int side);

 private:
  void give_back(std::pair<unsigned, int> key, std::unique_ptr<FeaturePlan<float>> plan) noexcept;

  std::mutex mutex_;
  std::map<std::pair<unsigned, int>, std::vector<std::unique_ptr<FeaturePlan<float>>>> free_;
};

inline namespace v1 {

struct Model::Implementation {
  Device device;
  WeightsMetadata metadata;
  ResNet18<float> backbone;
  std::optional<IouPredictor<float>> predictor;
  mutable PlanPool plans;

  /// The maps that the predictor ascends on.
  unsigned estimation_outputs() const {
    unsigned outputs = 0;
    if (predictor->uses_block3()) outputs |= FeaturePlan<float>::iou3;
    if (predictor->uses_block4()) outputs |= FeaturePlan<float>::iou4;
    return outputs;
  }
  PlanPool::Lease plan(unsigned outputs, int side) const {
    return plans.borrow(backbone, predictor ? &*predictor : nullptr, outputs, side);
  }
};

}  // namespace v1
}  // namespace atomtrack
