// SPDX-License-Identifier: MIT
#pragma once

#include <compare>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "atomtrack/layers/feature_plan.hpp"
#include "atomtrack/tracker/model.hpp"
#include "atomtrack/tracker/options.hpp"
#include "atomtrack/weights/weights_file.hpp"

namespace atomtrack {

/// Compiled feature plans that nobody is using. A plan serves one thread at a time; trackers borrow
/// one for the length of a call, so that a hundred trackers in one thread share one plan and its
/// scratch memory. Thread-safe.
class PlanPool {
 public:
  /// What tells plans of one network apart.
  struct Key {
    unsigned outputs = 0;  // FeaturePlan's flags
    int side = 0;          // of the crops, in pixels
    Precision precision = Precision::full;
    friend auto operator<=>(const Key&, const Key&) = default;
  };

  /// A borrowed plan, given back when this goes.
  class Lease {
   public:
    Lease(PlanPool& pool, Key key, std::unique_ptr<FeaturePlan<float>> plan)
        : pool_(pool), key_(key), plan_(std::move(plan)) {}
    ~Lease() { pool_.give_back(key_, std::move(plan_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    FeaturePlan<float>* operator->() const { return plan_.get(); }

   private:
    PlanPool& pool_;
    Key key_;
    std::unique_ptr<FeaturePlan<float>> plan_;
  };

  /// A plan of that kind; made if none is free.
  Lease borrow(const ResNet18<float>& backbone, const IouPredictor<float>* predictor,
               const Key& key);

 private:
  void give_back(Key key, std::unique_ptr<FeaturePlan<float>> plan) noexcept;

  std::mutex mutex_;
  std::map<Key, std::vector<std::unique_ptr<FeaturePlan<float>>>> free_;
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
  /// The plan with these outputs for crops as the options say.
  PlanPool::Lease plan(unsigned outputs, const Options& options) const {
    return plans.borrow(backbone, predictor ? &*predictor : nullptr,
                        {outputs, options.crop_size, options.feature_precision});
  }
};

}  // namespace v1
}  // namespace atomtrack
