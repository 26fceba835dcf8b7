// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "atomtrack/optimization/adam.hpp"
#include "atomtrack/training/gradient_exchange.hpp"
#include "atomtrack/training/network.hpp"
#include "atomtrack/training/pair_loader.hpp"
#include "atomtrack/weights/weights_file.hpp"

namespace atomtrack {

/// Learning rates up to a number of pairs: constant, or falling geometrically to the end rates.
struct TrainingStage {
  std::int64_t until = 0;  ///< pairs, counted from the start of training
  double head_rate = 1e-3;
  double head_rate_end = 0.0;  ///< 0: as head_rate
  double backbone_rate = 0.0;  ///< 0: the backbone is frozen
  double backbone_rate_end = 0.0;
};

struct TrainingOptions {
  std::uint64_t seed = 0;
  IouArchitecture architecture = IouArchitecture::modulation;
  int batch = 64;  ///< pairs per step of Adam
  int group = 16;  ///< pairs whose statistics batch norm shares; divides `batch`
  /// Weight averaging: average = average * this + (1 - this) * weights after every step; 0 switches
  /// it off. Early steps average over fewer.
  double average = 0.0;
  /// Of each target's candidates: these climb the predicted overlap first (`ascend_candidates`), so
  /// that the predictor is asked about the boxes that it leads a tracker to.
  int climbing_candidates = 0;
  /// Of the backbone, that never change: none, 1 (the stem and layer1) or 2 (layer2 too).
  int frozen_stages = 0;
  /// Of all convolutions while training. What is learned, Adam and the sums stay in floats.
  Precision precision = Precision::full;
  std::vector<TrainingStage> schedule;
  int loader_threads = 1;
};

/// How well overlaps are predicted.
struct OverlapErrors {
  double loss = 0.0;              ///< mean of (predicted - (2 IoU - 1))^2
  double mean_error = 0.0;        ///< mean of |predicted IoU - IoU|
  double rank_correlation = 0.0;  ///< Spearman's, over all candidates
  double climbed_overlap = 0.0;   ///< mean true IoU of the candidates after five steps of ascent
  std::int64_t candidates = 0;
};

/// Of each pair's first target, and of its further ones (all zero if there are none).
struct ValidationReport {
  OverlapErrors first, further;
};

/// Offline training (section 3.1): Adam on the mean squared error of the predicted overlap. In the
/// head, batch norm uses the statistics of groups of a fixed size, and the running statistics move
/// once a step by the groups' mean, so that neither gradient accumulation nor the number of
/// processes changes the result. The backbone's batch norm always uses its running statistics,
/// which stay as they are. One thread at a time.
class Trainer {
 public:
  /// `start` holds the backbone and may hold a predictor; without one it is initialised from the
  /// seed (He et al., 2015; batch-norm weights uniform in [0, 1) as in the released training).
  /// Throws WeightsError or InputError.
  Trainer(const TrainingOptions& options, const WeightsFile& start,
          std::shared_ptr<const PairSource> pairs, GradientExchange& exchange,
          Device device = Device::cpu());
  ~Trainer();

  struct Step {
    std::int64_t pairs = 0;  ///< trained on so far
    double loss = 0.0;
    double mean_error = 0.0;  ///< of the predicted IoU
    double head_rate = 0.0, backbone_rate = 0.0;
  };
  /// One step of Adam on `batch` pairs. Throws what reading a pair throws.
  Step step();
  std::int64_t pairs_done() const { return pairs_done_; }
  std::int64_t pairs_in_all() const;
  /// Numbers that are learned in the predictor (batch norm's statistics not counted).
  std::int64_t predictor_parameters() const;
  bool finished() const { return pairs_done_ >= pairs_in_all(); }

  /// Predicts on prepared pairs with the averaged weights and running statistics.
  ValidationReport validate(std::span<const TrainingPair> pairs) const;

  /// The weights: the averaged ones where there are any. Metadata but for the provenance is filled
  /// in.
  WeightsFile weights() const;
  /// Everything that `restore` needs to go on bit for bit, as a file that write_weights takes;
  /// `fingerprint` names the configuration.
  WeightsFile checkpoint(const std::string& fingerprint) const;
  /// Throws WeightsError if it is not a checkpoint of this configuration and architecture.
  void restore(const WeightsFile& checkpoint, const std::string& fingerprint);

 private:
  struct Sums;
  void start_loader();
  std::pair<Variable<float>, Variable<float>> maps_of(const Tensor<float>& images,
                                                      bool with_backbone);
  void train_on(std::span<const TrainingPair> group, bool with_backbone, Sums& sums);
  void update_average();

  TrainingOptions options_;
  WeightsMetadata metadata_;
  std::shared_ptr<const PairSource> pairs_;
  GradientExchange& exchange_;
  Device device_;
  TrainingNetwork<float> network_;
  std::vector<std::pair<std::string, Tensor<float>>> tensors_;  // of network_, sharing its memory
  std::vector<Tensor<float>> average_;                          // beside tensors_, or empty
  Adam<float> head_adam_, backbone_adam_;
  std::unique_ptr<PairLoader> loader_;
  struct FrozenBackbone;
  std::unique_ptr<FrozenBackbone> frozen_;  // compiled; empty while there is none
  std::int64_t pairs_done_ = 0;
  std::int64_t steps_ = 0;
};

/// The rates at some number of pairs; those of the last stage after the end.
struct Rates {
  double head = 0.0, backbone = 0.0;
};
Rates rates_at(const std::vector<TrainingStage>& schedule, std::int64_t pairs);

/// Spearman's rank correlation of two equally long lists (ties share their mean rank); 0 if one is
/// constant. Throws InputError for lists of different lengths.
double rank_correlation(std::span<const double> a, std::span<const double> b);

/// Predicts the candidates of `pairs` and compares with their overlaps; in evaluation, without
/// gradients.
ValidationReport validate(const TrainingNetwork<float>& network,
                          std::span<const TrainingPair> pairs);

}  // namespace atomtrack
