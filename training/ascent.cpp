// SPDX-License-Identifier: MIT
#include "atomtrack/training/ascent.hpp"

#include "atomtrack/image/box_overlap.hpp"
#include "atomtrack/layers/box_ascent.hpp"

namespace atomtrack {
namespace {

template <class T>
Box box_at(const std::vector<T>& values, std::size_t row) {
  const auto number = [&](std::size_t i) { return static_cast<double>(values[4 * row + i]); };
  return {number(0), number(1), number(2), number(3)};
}

template <class T>
void put_box(std::vector<T>& values, std::size_t row, const Box& box) {
  values[4 * row] = static_cast<T>(box.x);
  values[4 * row + 1] = static_cast<T>(box.y);
  values[4 * row + 2] = static_cast<T>(box.width);
  values[4 * row + 3] = static_cast<T>(box.height);
}

template <class T>
Tensor<T> as_tensor(const Shape& shape, const std::vector<T>& values, Device device) {
  return Tensor<T>(shape, std::span<const T>(values), device);
}

}  // namespace

template <class T>
void ascend_candidates(const IouPredictor<T>& predictor, const Tensor<T>& layer2,
                       const Tensor<T>& layer3, std::span<const TrainingPair> pairs,
                       const AscentOptions& options, PairBatch<T>& batch) {
  const std::int64_t n = batch.references.extent(0), r = batch.references.extent(1);
  const std::int64_t k = batch.candidates.extent(1) / r;
  require<ShapeError>(options.count >= 0 && options.count <= k, "ascent: ", options.count,
                      " candidates of ", k, " shall climb");
  if (options.count == 0) return;
  const Device device = batch.candidates.device();
  const Modulation<T> modulation =
      predictor.modulation(Variable<T>(layer2.slice(0, n)), Variable<T>(layer3.slice(0, n)),
                           Variable<T>(batch.references));
  const IouFeatures<T> features =
      predictor.features(Variable<T>(layer2.slice(n, n)), Variable<T>(layer3.slice(n, n)));

  std::vector<T> candidates = batch.candidates.to_vector(), targets = batch.targets.to_vector();
  const auto climbers = static_cast<std::size_t>(options.count);
  const auto per_target = static_cast<std::size_t>(k);
  const auto rows = static_cast<std::size_t>(n * r);  // targets of all pairs
  const auto row_of = [&](std::size_t target, std::size_t climber) {
    return target * per_target + per_target - climbers + climber;
  };
  std::vector<T> boxes(4 * rows * climbers);
  for (std::size_t i = 0; i < rows * climbers; ++i)
    put_box(boxes, i, box_at(candidates, row_of(i / climbers, i % climbers)));
  const Shape shape{n, r * options.count, 4};
  for (int step = 0; step < options.steps; ++step) {
    const std::vector<T> higher =
        ascended<T>(
            [&](const Variable<T>& at) { return predictor.predict(features, modulation, at); },
            as_tensor(shape, boxes, device))
            .boxes.to_vector();
    for (std::size_t i = 0; i < rows * climbers; ++i) {
      if (!options.full && static_cast<int>(i % climbers) % options.steps < step) continue;
      put_box(boxes, i, box_at(higher, i));
    }
  }
  for (std::size_t i = 0; i < rows * climbers; ++i) {
    const std::size_t target = i / climbers;
    const auto per_pair = static_cast<std::size_t>(r);
    const Box box = box_at(boxes, i);
    const double overlap =
        intersection_over_union(box, pairs[target / per_pair].targets[target % per_pair].test);
    // Written so that a box of NaN stays behind too.
    if (!(box.width >= 1.0 && box.height >= 1.0 && overlap >= options.minimum_overlap)) continue;
    put_box(candidates, row_of(target, i % climbers), box);
    targets[row_of(target, i % climbers)] = static_cast<T>(2.0 * overlap - 1.0);
  }
  batch.candidates = as_tensor(batch.candidates.shape(), candidates, device);
  batch.targets = as_tensor(batch.targets.shape(), targets, device);
}

template void ascend_candidates(const IouPredictor<float>&, const Tensor<float>&,
                                const Tensor<float>&, std::span<const TrainingPair>,
                                const AscentOptions&, PairBatch<float>&);
template void ascend_candidates(const IouPredictor<double>&, const Tensor<double>&,
                                const Tensor<double>&, std::span<const TrainingPair>,
                                const AscentOptions&, PairBatch<double>&);

}  // namespace atomtrack
