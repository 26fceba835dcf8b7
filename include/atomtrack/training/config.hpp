// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <string>
#include <vector>

#include "atomtrack/training/trainer.hpp"

namespace atomtrack {

/// One entry of a configuration's "datasets".
struct DatasetConfig {
  std::string layout;       ///< lasot, trackingnet, got10k, imagenet_vid, coco, otb or pool
  std::string root;         ///< folder; relative to the data folder
  std::string split;        ///< lasot, got10k: file with the names to take
  std::string annotations;  ///< coco: instances_*.json
  std::vector<int> chunks;  ///< trackingnet: TRAIN_<k>
  double weight = 1.0;      ///< how often it is drawn from, beside the others
  std::map<std::string, double> weights;  ///< pool: of its sets, times `weight`
  int validation_every =
      0;  ///< every so many-th sequence or image is for validation (0: none, 1: all)
};

/// A training configuration, read from JSON (docs/training.md lists every key).
struct TrainingConfig {
  std::vector<DatasetConfig> datasets;
  SamplingOptions sampling;
  AugmentationOptions augmentation;
  TrainingOptions training;
  int validation_pairs = 0;
  std::int64_t validate_every = 0;    ///< pairs
  std::int64_t checkpoint_every = 0;  ///< pairs
  std::string fingerprint;            ///< differs for configurations that train differently
};

/// Throws InputError naming `path`, the key and what was expected: unknown keys, wrong types,
/// missing values, text that is no JSON.
TrainingConfig parse_training_config(const std::string& text, const std::string& path);
/// The same from a file.
TrainingConfig read_training_config(const std::string& path);

/// The datasets of a configuration, split by whole sequences and images.
struct TrainingData {
  std::vector<WeightedDataset> training, validation;
};
/// Throws InputError as the readers do.
TrainingData read_training_data(const TrainingConfig& config, const std::string& data_folder);

}  // namespace atomtrack
