// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <memory>
#include <optional>

#include "atomtrack/datasets/dataset.hpp"
#include "atomtrack/image/affine_crop.hpp"
#include "atomtrack/training/photometric.hpp"

namespace atomtrack {

/// Which image pairs are drawn, and which boxes in them. The defaults are the released training's
/// (section 3.1 of the paper; docs/training.md has the sources).
struct SamplingOptions {
  int max_gap = 50;           ///< frames between reference and test image, both ways
  int minimum_visible = 5;    ///< frames that show the target, else a video is not used
  int minimum_frames = 20;    ///< frames that a video must have
  double minimum_side = 0.0;  ///< pixels; annotations with sqrt(width * height) below are not used
  int proposals = 16;         ///< candidate boxes per target
  double minimum_overlap = 0.1;
  // For training on little data: several targets per pair, which the predictor can tell apart only
  // by their references.
  int targets = 1;            ///< per pair
  double extra_weight = 1.0;  ///< of the further targets in the loss
  double part_share = 0.5;    ///< of the further targets: parts of the first one
  double loose_share = 0.0;   ///< of those parts: the object with margins instead
  double pseudo_share =
      0.0;  ///< of all pairs: any textured rectangle of an image as the first target
  int cross_proposals = 0;  ///< of the proposals: boxes of the pair's other targets
};

/// How the two crops of a pair are cut and changed. The defaults are the released training's, with
/// the paper's flipping.
struct AugmentationOptions {
  int crop = 288;           ///< pixels a side
  double area_scale = 5.0;  ///< crop side over target size
  double position = 4.5;    ///< test crop: centre moves by up to half of this times the target size
  double scale = 0.5;       ///< test crop: target size per axis times exp(this * N(0, 1))
  double flip = 0.5;        ///< probability that both crops are mirrored
  bool flips_apart = false;  ///< mirror each crop by itself
  PhotometricOptions colours;
  // For training on little data. Any of them makes the crops affine ones.
  double reference_position = 0.0;  ///< as `position`, of the reference crop
  double reference_scale = 0.0;     ///< as `scale`, of the reference crop
  double rotation = 0.0;            ///< of each crop: degrees * N(0, 1)
  double aspect = 0.0;              ///< of each crop: width over height times exp(this * N(0, 1))
  double reflect = 0.0;             ///< probability that what lies outside the image mirrors it
  double occlude = 0.0;  ///< probability that a piece of another image covers a part of the target
                         ///< in the test crop; the box stays the whole one
  double swap_background = 0.0;  ///< probability that the target of a still moves to another image
};

/// One target of a pair with its candidates.
struct PairTarget {
  Box reference;  ///< in the reference crop
  Box test;       ///< in the test crop
  float weight = 1.0F;
  std::vector<Box> proposals;   ///< in the test crop
  std::vector<float> overlaps;  ///< IoU of each with `test`, in [0, 1]
};

struct TrainingPair {
  Tensor<std::uint8_t> reference;  ///< [S,S,3] RGB
  Tensor<std::uint8_t> test;       ///< [S,S,3] RGB
  std::vector<PairTarget> targets;
};

/// A dataset and how often it is drawn from.
struct WeightedDataset {
  Dataset dataset;
  double weight = 1.0;
};

/// Draws training pairs. Pair number i depends on the seed and i alone, whichever thread asks for
/// it. Thread-safe.
class PairSource {
 public:
  /// Throws InputError if a dataset holds nothing that can be used or an option is out of range.
  PairSource(std::vector<WeightedDataset> datasets, ImageReader reader,
             const SamplingOptions& sampling, const AugmentationOptions& augmentation,
             std::uint64_t seed);
  ~PairSource();
  PairSource(const PairSource&) = delete;
  PairSource& operator=(const PairSource&) = delete;

  /// Where an image cannot be read another pair is drawn instead and the failure counted. Throws
  /// InputError when that happens twenty times in a row.
  TrainingPair make(std::uint64_t index) const;

  std::size_t unreadable() const { return unreadable_; }
  /// Why the most recent image could not be read; empty if all could.
  std::string last_failure() const;
  const SamplingOptions& sampling() const { return sampling_; }
  const AugmentationOptions& augmentation() const { return augmentation_; }

 private:
  struct Contents;
  std::unique_ptr<Contents> contents_;
  ImageReader reader_;
  SamplingOptions sampling_;
  AugmentationOptions augmentation_;
  std::uint64_t seed_;
  mutable std::atomic<std::size_t> unreadable_ = 0;
};

}  // namespace atomtrack
