// SPDX-License-Identifier: MIT
#include "tracker/tracker_implementation.hpp"

namespace atomtrack {

Track Track::on(const Model& model) const {
  Track copy(target, random, model.device());
  copy.label_sigma = label_sigma;
  copy.frame_number = frame_number;
  if (classifier) copy.classifier.emplace(classifier->on(model.device()));
  if (estimator)
    copy.estimator.emplace(estimator->on(*model.implementation().predictor, model.device()));
  return copy;
}

}  // namespace atomtrack
