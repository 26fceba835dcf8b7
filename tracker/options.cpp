// SPDX-License-Identifier: MIT
#include "atomtrack/tracker/options.hpp"

#include <cmath>
#include <limits>

#include "atomtrack/tensor/error.hpp"

namespace atomtrack {
inline namespace v1 {
namespace {

constexpr double unlimited = std::numeric_limits<double>::infinity();

void check(const char* field, double value, double lowest, double highest) {
  require<InputError>(value >= lowest && value <= highest, "option ", field, " = ", value,
                      ": expected ", lowest, " to ", highest);
}

}  // namespace

Options Options::released() {
  return {};
}

Options Options::paper() {
  Options options;
  options.diagonal_preconditioner = false;
  options.polak_ribiere_updates = false;
  options.initial_samples_minimum_weight = 0.0;
  return options;
}

Options Options::vot2018() {
  Options options;
  options.crop_size = 224;
  options.search_area_scale = 4.0;
  options.learning_rate = 0.0075;
  options.initial_samples_minimum_weight = 0.0;
  options.window_scores = true;
  options.target_not_found_threshold = -1.0;
  options.distractor_threshold = 100.0;
  options.hard_negative_threshold = 0.3;
  options.displacement_scale = 0.7;
  return options;
}

Options Options::steady() {
  Options options;
  options.size_gain = 0.4;
  options.aspect_pull = 0.3;
  return options;
}

Options Options::adaptive() {
  Options options = steady();
  options.adaptation_n_gn = 3;
  return options;
}

Options Options::preset(std::string_view name) {
  if (name == "released") return released();
  if (name == "paper") return paper();
  if (name == "vot2018") return vot2018();
  if (name == "steady") return steady();
  if (name == "adaptive") return adaptive();
  throw InputError(
      concatenate("preset '", name, "': expected released, paper, vot2018, steady or adaptive"));
}

Options Options::variant(std::string_view name) const {
  Options options = *this;
  if (name == "atom") return options;
  if (name == "multi-scale") {
    options.estimation = Estimation::multi_scale;
  } else if (name == "no-classifier") {
    options.use_classifier = false;
    options.search_area_scale *= no_classifier_search_growth;
    options.proposal_position_noise = no_classifier_position_noise;
  } else if (name == "gd" || name == "gd++") {
    options.optimizer = ClassifierOptimizer::gradient_descent;
    options.gradient_descent_factor = name == "gd" ? 1 : 5;
  } else if (name == "no-hard-negatives") {
    options.hard_negative_mining = false;
  } else {
    throw InputError(
        concatenate("variant '", name,
                    "': expected atom, multi-scale, no-classifier, gd, gd++ or no-hard-negatives"));
  }
  return options;
}

void Options::validate() const {
  require<InputError>(crop_size >= 64 && crop_size <= 1024 && crop_size % 16 == 0,
                      "option crop_size = ", crop_size,
                      ": expected a multiple of 16 from 64 to 1024");
  check("search_area_scale", search_area_scale, 1.0, 20.0);
  check("projection_channels", projection_channels, 1, 256);
  const int cells = crop_size / 16;
  check("filter_size", filter_size, 1, cells);
  check("pelu_alpha", pelu_alpha, 1e-6, unlimited);
  check("filter_regularization", filter_regularization, 1e-12, unlimited);
  check("projection_regularization", projection_regularization, 1e-12, unlimited);
  check("label_sigma", label_sigma, 1e-3, 10.0);
  check("first_frame_n_gn", first_frame_n_gn, 1, 1000);
  check("first_frame_n_cg", first_frame_n_cg, 1, 1000);
  check("update_n_cg", update_n_cg, 1, 1000);
  check("hard_negative_n_cg", hard_negative_n_cg, 1, 1000);
  check("update_interval", update_interval, 1, 1e6);
  check("gradient_descent_rate", gradient_descent_rate, 0.0, unlimited);
  check("gradient_descent_momentum", gradient_descent_momentum, 0.0, 1.0);
  check("gradient_descent_factor", gradient_descent_factor, 1, 1000);
  check("dropout_probability", dropout_probability, 0.0, 0.99);
  check("dropout_samples", dropout_samples, 0, 100);
  check("augmentation_shift", augmentation_shift, 0.0, 1.0);
  check("memory_size", memory_size, 31 + dropout_samples, 10000);
  check("learning_rate", learning_rate, 0.0, 0.99);
  check("hard_negative_learning_rate", hard_negative_learning_rate, 0.0, 0.99);
  check("initial_samples_minimum_weight", initial_samples_minimum_weight, 0.0, 1.0);
  check("target_neighborhood_scale", target_neighborhood_scale, 0.0, 10.0);
  check("displacement_scale", displacement_scale, 0.0, 2.0);
  check("target_inside_ratio", target_inside_ratio, -10.0, 0.5);
  check("no_classifier_search_growth", no_classifier_search_growth, 0.5, 4.0);
  check("proposals", proposals, 1, 1000);
  check("proposal_position_noise", proposal_position_noise, 0.0, 10.0);
  check("proposal_size_noise", proposal_size_noise, 0.0, 10.0);
  check("proposal_minimum_size", proposal_minimum_size, 0.0, 1.0);
  check("refinement_steps", refinement_steps, 1, 1000);
  check("refinement_step_length", refinement_step_length, 0.0, 1e4);
  check("refinement_step_decay", refinement_step_decay, 0.01, 1.0);
  check("maximum_aspect_ratio", maximum_aspect_ratio, 1.0, unlimited);
  check("boxes_averaged", boxes_averaged, 1, proposals);
  check("size_gain", size_gain, 0.01, 1.0);
  check("aspect_pull", aspect_pull, 0.0, 1.0);
  check("adaptation_n_gn", adaptation_n_gn, 0, 100);
  check("adaptation_n_cg", adaptation_n_cg, 1, 1000);
  check("adaptation_crops", adaptation_crops, 1, 64);
  check("adaptation_regularization", adaptation_regularization, 1e-6, unlimited);
  check("multi_scale_count", multi_scale_count, 1, 33);
  check("multi_scale_step", multi_scale_step, 1.0001, 2.0);
  for (const double threshold :
       {target_not_found_threshold, distractor_threshold, hard_negative_threshold}) {
    require<InputError>(std::isfinite(threshold), "a threshold of ", threshold,
                        ": expected a finite value");
  }
  require<InputError>(
      use_classifier || estimation == Estimation::overlap_maximization,
      "without the classifier only overlap maximisation can track, not multi-scale search");
}

}  // namespace v1
}  // namespace atomtrack
