// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

#include "atomtrack/primitives/geometry.hpp"

namespace atomtrack {
inline namespace v1 {

/// How the target's box is estimated once the classifier has said where it is (Table 2).
enum class Estimation {
  overlap_maximization,  ///< the IoU predictor, ascended over the box (section 3.1): ATOM
  multi_scale,           ///< the classifier evaluated at several scales; fixed aspect ratio
};

/// How the classifier is optimised (Table 2).
enum class ClassifierOptimizer {
  gauss_newton,      ///< Algorithm 1
  gradient_descent,  ///< with momentum; as many BackProp calls as Algorithm 1, times
                     ///< `gradient_descent_factor`
};

/// Every constant of the tracker. The presets are tables in docs/options.md with the source
/// of each value; the member initialisers are those of `released()`. Lengths are in pixels of the
/// crop unless said otherwise.
struct Options {
  // Search region (section 3.3, feature extraction)
  int crop_size = 288;  ///< side of the square crop fed to the network; a multiple of 16
  double search_area_scale =
      5.0;  ///< side of the search region in units of sqrt(width * height) of the target

  /// How exactly the frozen network's convolutions multiply; tf32 and half are for GPUs.
  Precision feature_precision = Precision::full;

  // Target classification: model and loss (section 3.2, equations 2 and 3)
  int projection_channels = 64;             ///< D of w_1
  int filter_size = 4;                      ///< side of w_2
  double pelu_alpha = 0.05;                 ///< alpha of phi_2
  double filter_regularization = 0.1;       ///< lambda of w_2
  double projection_regularization = 1e-4;  ///< lambda of w_1
  double label_sigma =
      0.25;  ///< standard deviation of the Gaussian label in units of the target's size

  // Algorithm 1
  ClassifierOptimizer optimizer = ClassifierOptimizer::gauss_newton;
  int first_frame_n_gn = 6;
  int first_frame_n_cg = 10;
  int update_n_cg = 5;  ///< Conjugate Gradient iterations of an update (one Gauss-Newton step)
  int hard_negative_n_cg = 5;
  int update_interval = 10;             ///< frames between updates
  bool diagonal_preconditioner = true;  ///< first frame only; not in the paper
  bool polak_ribiere_updates =
      true;  ///< updates only; the paper's Algorithm 1 is Fletcher-Reeves throughout
  double gradient_descent_rate = 1e-5;  ///< step of gradient descent, when it is the optimizer
  double gradient_descent_momentum = 0.9;
  int gradient_descent_factor = 1;  ///< 5 for GD++

  // First-frame augmentation
  bool augment = true;  ///< 30 samples; otherwise the first crop alone
  double dropout_probability = 0.2;
  int dropout_samples = 7;
  double augmentation_shift =
      1.0 / 3.0;  ///< random shifts are uniform within +- half of this share of the crop

  // Sample memory
  int memory_size = 250;
  double learning_rate = 0.01;
  double hard_negative_learning_rate = 0.02;
  double initial_samples_minimum_weight =
      0.25;  ///< 0: the first frame's samples may be replaced like any other

  // Localisation
  double target_not_found_threshold = 0.25;  ///< a lower peak means that the target is lost
  double distractor_threshold = 0.8;         ///< second peak over first above which the two compete
  double hard_negative_threshold =
      0.5;  ///< second peak over first above which it is a hard negative
  double target_neighborhood_scale = 2.2;  ///< size of what belongs to a peak, in target sizes
  double displacement_scale = 0.8;         ///< a peak beyond this share of half the crop is far
  bool hard_negative_mining = true;
  bool window_scores = false;        ///< multiply the score map by a cosine window
  double target_inside_ratio = 0.2;  ///< how much of the target stays inside the frame

  // Target estimation (sections 3.1 and 3.3)
  Estimation estimation = Estimation::overlap_maximization;
  bool use_classifier = true;  ///< false: the IoU predictor alone (Table 2, "No Classif.")
  /// What `variant("no-classifier")` changes besides: the paper enlarges the search region without
  /// saying by how much.
  double no_classifier_search_growth = 1.2;
  double no_classifier_position_noise = 1.0;  ///< `proposal_position_noise` of that variant
  int proposals = 10;
  double proposal_position_noise =
      0.1;  ///< half-width in units of sqrt(width * height): uniform in +- half of it
  double proposal_size_noise = 0.5;
  double proposal_minimum_size = 1.0 / 3.0;  ///< of the box's smaller side
  int refinement_steps = 5;
  double refinement_step_length = 1.0;
  double refinement_step_decay =
      1.0;  ///< < 1: a step that lowers the IoU is undone and the step length multiplied by this
  double maximum_aspect_ratio = 6.0;
  int boxes_averaged = 3;
  double size_gain = 1.0;    ///< share of a refined box's change of log size that is taken over
  double aspect_pull = 0.0;  ///< share of the change of the log aspect ratio since the first frame
                             ///< that is undone in every frame
  /// First frame: Gauss-Newton steps that fit the target's modulation vectors to crops of the first
  /// frame in which the box is known (0: they stay what the reference branch says, as in the
  /// paper).
  int adaptation_n_gn = 0;
  int adaptation_n_cg = 5;
  int adaptation_crops = 8;
  double adaptation_regularization = 0.2;  ///< of the vectors' change, in units of their own size
  int multi_scale_count = 5;
  double multi_scale_step = 1.02;

  std::uint64_t seed = 0;

  /// The authors' released default settings (REFERENCE: `default`): what a new tracker uses.
  static Options released();
  /// The paper's text where it differs from the release: no preconditioner, Fletcher-Reeves
  /// throughout.
  static Options paper();
  /// The authors' settings for VOT2018.
  static Options vot2018();
  /// The released settings with a box that changes its size and shape slowly: for smooth video (25
  /// frames per second or more) and for boxes that do not follow an object's outline, such as a
  /// face or a part.
  static Options steady();
  /// The steady settings, and the IoU predictor's modulation vectors fitted to the first frame's
  /// box: the most accurate boxes with the shipped weights, for a first frame that takes about
  /// twice as long.
  static Options adaptive();
  /// A preset by name. Throws InputError listing the names.
  static Options preset(std::string_view name);

  /// The ablations of Table 2 applied to these options: "atom", "multi-scale", "no-classifier",
  /// "gd", "gd++", "no-hard-negatives". Throws InputError listing the names.
  Options variant(std::string_view name) const;

  /// Throws InputError naming the first field that is out of its range.
  void validate() const;
};

}  // namespace v1
}  // namespace atomtrack
