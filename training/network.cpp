// SPDX-License-Identifier: MIT
#include "atomtrack/training/network.hpp"

#include <array>

#include "atomtrack/primitives/primitives.hpp"

namespace atomtrack {
namespace {

/// RGB [S,S,3] as normalised planes, image n of `images` [N,3,S,S]: made where they are needed, so
/// that bytes and not floats travel to a GPU.
template <class T>
void normalise(const Tensor<std::uint8_t>& pixels, std::int64_t n, Tensor<T>& images) {
  const Device device = images.device();
  std::array<T, 3> offset{}, scale{};
  for (std::size_t c = 0; c < 3; ++c) {
    offset[c] = static_cast<T>(255.0 * ResNet18<T>::image_mean[c]);
    scale[c] = static_cast<T>(1.0 / (255.0 * ResNet18<T>::image_deviation[c]));
  }
  const CropWindow whole{0, 0, pixels.extent(0), pixels.extent(1)};
  Tensor<T> image = images.slice(n, 1);
  primitives_for<T>(device).crop_resize_frame(device.is_host() ? pixels : pixels.to(device), whole,
                                              offset, scale, image);
}

template <class T>
void append(std::vector<T>& values, const Box& box) {
  for (const double v : {box.x, box.y, box.width, box.height}) values.push_back(static_cast<T>(v));
}

}  // namespace

template <class T>
PairBatch<T> batch_of(std::span<const TrainingPair> pairs, Device device) {
  require<ShapeError>(!pairs.empty() && !pairs.front().targets.empty(),
                      "a training batch without pairs or targets");
  const auto n = static_cast<std::int64_t>(pairs.size());
  const auto r = static_cast<std::int64_t>(pairs.front().targets.size());
  const auto k = static_cast<std::int64_t>(pairs.front().targets.front().proposals.size());
  const std::int64_t side = pairs.front().reference.extent(0);
  Tensor<T> images(Shape{2 * n, 3, side, side}, device);
  std::vector<T> references, candidates, targets, weights;
  for (std::int64_t i = 0; i < n; ++i) {
    const TrainingPair& pair = pairs[static_cast<std::size_t>(i)];
    const bool fits = pair.reference.shape() == Shape{side, side, 3} &&
                      pair.test.shape() == Shape{side, side, 3} &&
                      pair.targets.size() == static_cast<std::size_t>(r);
    require<ShapeError>(fits, "a training batch of pairs of different sizes");
    normalise(pair.reference, i, images);
    normalise(pair.test, n + i, images);
    for (const PairTarget& target : pair.targets) {
      require<ShapeError>(target.proposals.size() == static_cast<std::size_t>(k) &&
                              target.overlaps.size() == static_cast<std::size_t>(k),
                          "a training batch of targets with different numbers of proposals");
      append(references, target.reference);
      for (const Box& box : target.proposals) append(candidates, box);
      for (const float overlap : target.overlaps) {
        targets.push_back(static_cast<T>(2.0 * static_cast<double>(overlap) - 1.0));
        weights.push_back(static_cast<T>(target.weight));
      }
    }
  }
  const auto tensor = [&](const Shape& shape, const std::vector<T>& values) {
    return Tensor<T>(shape, std::span<const T>(values), device);
  };
  return {images, tensor(Shape{n, r, 4}, references), tensor(Shape{n, r * k, 4}, candidates),
          tensor(Shape{n, r * k}, targets), tensor(Shape{n, r * k}, weights)};
}

template <class T>
Variable<T> predict(const IouPredictor<T>& predictor, const Variable<T>& layer2,
                    const Variable<T>& layer3, const PairBatch<T>& batch) {
  const std::int64_t n = batch.references.extent(0);
  const Modulation<T> modulation = predictor.modulation(
      slice(layer2, 0, 0, n), slice(layer3, 0, 0, n), Variable<T>(batch.references));
  const IouFeatures<T> features =
      predictor.features(slice(layer2, 0, n, n), slice(layer3, 0, n, n));
  return predictor.predict(features, modulation, Variable<T>(batch.candidates));
}

template <class T>
Variable<T> training_loss(const Variable<T>& predicted, const PairBatch<T>& batch) {
  return mean(Variable<T>(batch.weights) * square(predicted - Variable<T>(batch.targets)), {0, 1});
}

template PairBatch<float> batch_of(std::span<const TrainingPair>, Device);
template PairBatch<double> batch_of(std::span<const TrainingPair>, Device);
template Variable<float> predict(const IouPredictor<float>&, const Variable<float>&,
                                 const Variable<float>&, const PairBatch<float>&);
template Variable<double> predict(const IouPredictor<double>&, const Variable<double>&,
                                  const Variable<double>&, const PairBatch<double>&);
template Variable<float> training_loss(const Variable<float>&, const PairBatch<float>&);
template Variable<double> training_loss(const Variable<double>&, const PairBatch<double>&);

}  // namespace atomtrack
