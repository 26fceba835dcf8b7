// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include "atomtrack/tensor/recording.hpp"
#include "atomtrack/tracker/localization.hpp"
#include "atomtrack/tracker/online_classifier.hpp"
#include "atomtrack/tracker/tracker.hpp"
#include "tracker/box_estimator.hpp"
#include "tracker/model_implementation.hpp"
#include "tracker/search_region.hpp"

namespace atomtrack {

/// Everything that is known of one target: made by `init`, changed by every `update`.
struct Track {
  explicit Track(const Target& followed, const RandomSource& source, Device device)
      : target(followed), random(source), classification(device) {}

  /// A copy that goes on alike on the device of `model`, which has the same weights.
  Track on(const Model& model) const;

  Target target;
  RandomSource random;
  std::optional<OnlineClassifier>
      classifier;  // without it, the IoU predictor tracks alone (Table 2)
  std::optional<BoxEstimator> estimator;
  double label_sigma = 0.0;
  int frame_number = 1;      // the first frame is 1
  Recording classification;  // of a frame's crops
};

inline namespace v1 {

struct Tracker::Implementation {
  Implementation(Model shared_model, const Options& chosen);
  ~Implementation();
  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;

  Result init(const ImageView& image, const Box& box);
  Result update(const ImageView& image);
  /// What `init` would minimise for the classifier; the tracker stays as it is.
  FirstFrameProblem classifier_problem(const ImageView& image, const Box& box);

  Model model;
  Options options;
  int cells;  // side of the classifier's feature map
  SearchRegion region;
  Localizer localizer;
  RandomSource random;  // where the next track's randomness starts
  std::optional<Track> track;

 private:
  struct Found {
    RowCol position;
    double score = 0.0;
    State state = State::tracked;
    std::size_t scale_index = 0;
  };

  using Plan = FeaturePlan<float>;
  struct FirstFrameSamples {
    Tensor<float> features, labels;  // [M,C,F,F] power-normalised, [M,1,F,F]
  };

  Track start(const ImageView& image, const Box& box) const;
  void learn_first_frame(const ImageView& image, Track& fresh);
  std::vector<Augmentation> draw_augmentations(Track& fresh) const;
  Plan::Maps first_frame_maps(const ImageView& image, const Track& fresh,
                              const std::vector<Augmentation>& augmentations);
  void adapt_estimator(const ImageView& image, Track& fresh);
  FirstFrameSamples first_frame_samples(std::vector<Augmentation> augmentations,
                                        Tensor<float>& layer3, Track& fresh) const;
  Tensor<float> first_frame_labels(const std::vector<Augmentation>& augmentations, RowCol centre,
                                   double sigma) const;
  void drop_channels(const Tensor<float>& features, Tensor<float>& samples,
                     RandomSource& source) const;
  Found find_target(const std::vector<double>& scales, RowCol sample_position,
                    const ImageView& image);
  void estimate_box(Found& found, double scale, RowCol sample_position, const ImageView& image);
  void learn(const Found& found, RowCol sample_position, double sample_scale);
  std::vector<float> peaks_of(const std::vector<double>& scales);
  std::vector<double> search_scales() const;
  Tensor<float> label_at(RowCol centre, double sigma) const;

  Tensor<float> crops_;            // [scales,3,S,S]
  FeaturePlan<float>::Maps maps_;  // of the crops
  Tensor<double> neighbourhoods_;  // [scales,2] of the peaks
  Tensor<float> projected_;        // [scales,D,F,F]
  Tensor<float> peaks_;            // [scales,6]
  Handover handover_;              // from the thread of one call to the next one's
};

}  // namespace v1
}  // namespace atomtrack
