// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <numeric>

#include "atomtrack/layers/feature_plan.hpp"
#include "atomtrack/training/ascent.hpp"
#include "atomtrack/training/trainer.hpp"

namespace atomtrack {
namespace {

constexpr std::size_t pairs_at_once = 16;

/// Ranks from 0, equal values sharing the mean of theirs.
std::vector<double> ranks(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> result(values.size());
  for (std::size_t i = 0; i < order.size();) {
    std::size_t end = i;
    while (end < order.size() && values[order[end]] == values[order[i]]) ++end;
    for (std::size_t k = i; k < end; ++k) result[order[k]] = static_cast<double>(i + end - 1) / 2.0;
    i = end;
  }
  return result;
}

/// Predicted and true overlaps, 2 IoU - 1.
struct Predictions {
  std::vector<double> predicted, truth;
  double climbed = 0.0;  // sum of the overlaps after the ascent

  OverlapErrors errors() const {
    OverlapErrors result;
    result.candidates = static_cast<std::int64_t>(truth.size());
    if (truth.empty()) return result;
    for (std::size_t i = 0; i < truth.size(); ++i) {
      const double difference = predicted[i] - truth[i];
      result.loss += difference * difference;
      result.mean_error += std::abs(difference) / 2;
    }
    result.loss /= static_cast<double>(truth.size());
    result.mean_error /= static_cast<double>(truth.size());
    result.rank_correlation = rank_correlation(predicted, truth);
    result.climbed_overlap = climbed / static_cast<double>(truth.size());
    return result;
  }
};

}  // namespace

double rank_correlation(std::span<const double> a, std::span<const double> b) {
  require<InputError>(a.size() == b.size(), "rank correlation of ", a.size(), " with ", b.size(),
                      " values");
  const std::vector<double> ra = ranks(a), rb = ranks(b);
  const double middle = (static_cast<double>(a.size()) - 1.0) / 2.0;
  double ab = 0.0, aa = 0.0, bb = 0.0;
  for (std::size_t i = 0; i < ra.size(); ++i) {
    ab += (ra[i] - middle) * (rb[i] - middle);
    aa += (ra[i] - middle) * (ra[i] - middle);
    bb += (rb[i] - middle) * (rb[i] - middle);
  }
  return aa > 0.0 && bb > 0.0 ? ab / std::sqrt(aa * bb) : 0.0;
}

ValidationReport validate(const TrainingNetwork<float>& network,
                          std::span<const TrainingPair> pairs) {
  using Plan = FeaturePlan<float>;
  if (pairs.empty()) return {};
  const Device device = network.backbone.conv1.weight.device();
  const std::int64_t side = pairs.front().reference.extent(0);
  Plan plan(network.backbone, nullptr, Plan::layer2 | Plan::layer3, side, side);
  Plan::Maps maps;
  Predictions first, further;
  for (std::size_t start = 0; start < pairs.size(); start += pairs_at_once) {
    const auto part = pairs.subspan(start, std::min(pairs_at_once, pairs.size() - start));
    PairBatch<float> batch = batch_of<float>(part, device);
    plan.run(batch.images, maps);
    const std::vector<float> predicted = predict(network.predictor, Variable<float>(maps.layer2),
                                                 Variable<float>(maps.layer3), batch)
                                             .value()
                                             .to_vector();
    const std::vector<float> truth = batch.targets.to_vector();
    const std::size_t per_target = part.front().targets.front().proposals.size();
    const std::size_t per_pair = per_target * part.front().targets.size();
    AscentOptions ascent;
    ascent.count = static_cast<int>(per_target);
    ascent.full = true;
    ascent.minimum_overlap = 0.0;
    ascend_candidates(network.predictor, maps.layer2, maps.layer3, part, ascent, batch);
    const std::vector<float> climbed = batch.targets.to_vector();
    for (std::size_t i = 0; i < truth.size(); ++i) {
      Predictions& where = i % per_pair < per_target ? first : further;
      where.predicted.push_back(static_cast<double>(predicted[i]));
      where.truth.push_back(static_cast<double>(truth[i]));
      where.climbed += (static_cast<double>(climbed[i]) + 1.0) / 2.0;
    }
  }
  return {first.errors(), further.errors()};
}

}  // namespace atomtrack
