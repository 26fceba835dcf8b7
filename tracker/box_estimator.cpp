// SPDX-License-Identifier: MIT
#include "tracker/box_estimator.hpp"

#include <algorithm>

#include "atomtrack/tracker/box_refinement.hpp"

namespace atomtrack {
namespace {

std::vector<float> rows_of(const std::vector<Box>& boxes) {
  std::vector<float> values;
  for (const Box& box : boxes) {
    for (const double value : {box.x, box.y, box.width, box.height})
      values.push_back(static_cast<float>(value));
  }
  return values;
}

}  // namespace

Box encode_box(RowCol position, RowCol size, RowCol sample_position, double scale, int crop_size) {
  const double middle = (crop_size - 1) / 2.0;
  const double width = size.col / scale, height = size.row / scale;
  return {(position.col - sample_position.col) / scale + middle - (width - 1) / 2,
          (position.row - sample_position.row) / scale + middle - (height - 1) / 2, width, height};
}

EstimatedBox decode_box(const Box& box, RowCol sample_position, double scale, int crop_size) {
  const double middle = (crop_size - 1) / 2.0;
  EstimatedBox result;
  result.position = {(box.y + box.height / 2 - middle) * scale + sample_position.row,
                     (box.x + box.width / 2 - middle) * scale + sample_position.col};
  result.size = {box.height * scale, box.width * scale};
  return result;
}

BoxEstimator::BoxEstimator(const IouPredictor<float>& predictor, const Tensor<float>& layer2,
                           const Tensor<float>& layer3, const Target& target,
                           RowCol sample_position, const Options& options)
    : predictor_(&predictor),
      options_(options),
      device_(layer2.device()),
      proposals_(Shape{options.proposals, 4}, device_),
      ascent_(device_) {
  const Box box =
      encode_box(target.position, target.size, sample_position, target.scale, options.crop_size);
  const std::vector<float> row = rows_of({box});
  modulation_ = predictor.modulation(
      layer2, layer3, Tensor<float>(Shape{1, 4}, std::span<const float>(row), device_));
}

BoxEstimator BoxEstimator::on(const IouPredictor<float>& predictor, Device device) const {
  BoxEstimator moved = *this;
  moved.predictor_ = &predictor;
  moved.device_ = device;
  moved.proposals_ = proposals_.to(device);
  moved.refined_ = {};
  moved.ascent_ = Recording(device);
  for (Variable<float>* vectors : {&moved.modulation_.block3, &moved.modulation_.block4}) {
    if (vectors->defined()) *vectors = Variable<float>(vectors->value().to(device));
  }
  return moved;
}

void BoxEstimator::adapt(const KnownBoxes& known, RandomSource& random) {
  modulation_ = adapted(*predictor_, modulation_, known, options_, random);
  ascent_ = Recording(device_);
}

std::optional<EstimatedBox> BoxEstimator::estimate(const Tensor<float>& iou3,
                                                   const Tensor<float>& iou4, const Target& target,
                                                   RowCol position, RowCol sample_position,
                                                   RandomSource& random) {
  const Box start =
      encode_box(position, target.size, sample_position, target.scale, options_.crop_size);
  const IouFeatures<float> features{iou3, iou4};
  RefinementOptions ascent;
  ascent.steps = options_.refinement_steps;
  ascent.position_step = ascent.size_step = options_.refinement_step_length;
  ascent.decay = options_.refinement_step_decay;
  const std::vector<float> rows = rows_of(propose_boxes(start, options_, random));
  device_memory(device_).copy_from_host(proposals_.data(), rows.data(), proposals_.bytes());
  const auto place = [](const Tensor<float>& map) { return map.defined() ? map.data() : nullptr; };
  ascent_.run({place(iou3), place(iou4)}, [&] {
    refined_ = refine_boxes<float>(
        [&](const Variable<float>& boxes) {
          return predictor_->predict(features, modulation_, boxes);
        },
        proposals_, ascent);
  });
  Box mean;
  double predicted = 0.0;
  if (!mean_of_best(refined_.boxes, refined_.overlap, options_, mean, predicted))
    return std::nullopt;
  EstimatedBox result = decode_box(mean, sample_position, target.scale, options_.crop_size);
  result.overlap = std::clamp((predicted + 1) / 2, 0.0, 1.0);  // trained for 2 IoU - 1
  return result;
}

}  // namespace atomtrack
