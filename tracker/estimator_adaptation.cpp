// SPDX-License-Identifier: MIT
#include "tracker/estimator_adaptation.hpp"

#include <algorithm>
#include <cmath>

#include "atomtrack/image/box_overlap.hpp"
#include "atomtrack/layers/box_ascent.hpp"
#include "atomtrack/optimization/gauss_newton.hpp"

namespace atomtrack {
namespace {

constexpr int candidates_per_crop = 32;  // the second half of them climbs
constexpr double least_overlap = 0.1;    // of a candidate, as in training

/// Gaussian noise on centre and size, of a relative deviation that is itself drawn: most candidates
/// are near, some far. Less noise after each candidate that misses the box.
Box candidate_near(const Box& box, RandomSource& random) {
  constexpr double nearest = 0.02, farthest = 0.3, less = 0.9;
  double noise =
      nearest * std::pow(farthest / nearest, random.uniform()) * std::sqrt(box.width * box.height);
  for (;; noise *= less) {
    const double x = box.x + box.width / 2 + noise * random.normal();
    const double y = box.y + box.height / 2 + noise * random.normal();
    const double width = std::max(box.width + noise * random.normal(), 0.2 * box.width);
    const double height = std::max(box.height + noise * random.normal(), 0.2 * box.height);
    const Box candidate{x - width / 2, y - height / 2, width, height};
    if (intersection_over_union(candidate, box) >= least_overlap) return candidate;
  }
}

/// Candidates [N,K,4] around the known boxes.
std::vector<float> draw_candidates(const std::vector<Box>& boxes, RandomSource& random) {
  std::vector<float> values;
  for (const Box& box : boxes) {
    for (int k = 0; k < candidates_per_crop; ++k) {
      const Box candidate = candidate_near(box, random);
      for (const double v : {candidate.x, candidate.y, candidate.width, candidate.height})
        values.push_back(static_cast<float>(v));
    }
  }
  return values;
}

Box box_at(const std::vector<float>& values, std::size_t row) {
  const auto number = [&](std::size_t i) { return static_cast<double>(values[4 * row + i]); };
  return {number(0), number(1), number(2), number(3)};
}

/// The second half of each crop's candidates climbs; one that loses its target stays.
void climb(const IouPredictor<float>& predictor, const Modulation<float>& modulation,
           const KnownBoxes& known, const Options& options, std::vector<float>& candidates) {
  const auto crops = static_cast<std::int64_t>(known.boxes.size());
  constexpr std::size_t all = candidates_per_crop, climbers = all / 2;
  const Device device = known.features.block3.defined() ? known.features.block3.device()
                                                        : known.features.block4.device();
  std::vector<float> moving;
  for (std::size_t n = 0; n < known.boxes.size(); ++n) {
    const auto from = candidates.begin() + static_cast<std::ptrdiff_t>(4 * (n * all + climbers));
    moving.insert(moving.end(), from, from + static_cast<std::ptrdiff_t>(4 * climbers));
  }
  Tensor<float> boxes(Shape{crops, static_cast<std::int64_t>(climbers), 4},
                      std::span<const float>(moving), device);
  const auto length =
      Tensor<float>::full(Shape{}, static_cast<float>(options.refinement_step_length), device);
  for (int step = 0; step < options.refinement_steps; ++step) {
    boxes = ascended<float>(
                [&](const Variable<float>& at) {
                  return predictor.predict(known.features, modulation, at);
                },
                boxes, length)
                .boxes;
  }
  moving = boxes.to_vector();
  for (std::size_t i = 0; i < moving.size() / 4; ++i) {
    const std::size_t crop = i / climbers;
    const Box box = box_at(moving, i);
    if (!(box.width >= 1.0 && box.height >= 1.0 &&
          intersection_over_union(box, known.boxes[crop]) >= least_overlap))
      continue;
    std::copy_n(moving.begin() + static_cast<std::ptrdiff_t>(4 * i), 4,
                candidates.begin() +
                    static_cast<std::ptrdiff_t>(4 * (crop * all + climbers + i % climbers)));
  }
}

double root_mean_square(const Tensor<float>& tensor) {
  double sum = 0.0;
  for (const float v : tensor.to_vector()) sum += static_cast<double>(v) * static_cast<double>(v);
  return std::sqrt(sum / static_cast<double>(std::max<std::int64_t>(1, tensor.numel())));
}

}  // namespace

Modulation<float> adapted(const IouPredictor<float>& predictor, const Modulation<float>& modulation,
                          const KnownBoxes& known, const Options& options, RandomSource& random) {
  if (!predictor.modulates()) return modulation;
  // The vectors of the blocks that the architecture looks at, in this order.
  std::vector<Tensor<float>> start, w;
  for (const Variable<float>* block : {&modulation.block3, &modulation.block4}) {
    if (!block->defined()) continue;
    start.push_back(block->value());
    w.push_back(block->value().clone());
  }
  const auto modulation_of = [&](std::span<const Variable<float>> vectors) {
    Modulation<float> result;
    std::size_t next = 0;
    if (predictor.uses_block3()) result.block3 = vectors[next++];
    if (predictor.uses_block4()) result.block4 = vectors[next++];
    return result;
  };
  const auto constants = [&] {
    std::vector<Variable<float>> vectors;
    for (const Tensor<float>& value : w) vectors.emplace_back(value);
    return vectors;
  };
  const Device device = w.front().device();
  const auto crops = static_cast<std::int64_t>(known.boxes.size());
  for (int i = 0; i < options.adaptation_n_gn; ++i) {
    std::vector<float> candidates = draw_candidates(known.boxes, random);
    climb(predictor, modulation_of(constants()), known, options, candidates);
    std::vector<float> targets;
    for (std::size_t row = 0; row < candidates.size() / 4; ++row)
      targets.push_back(
          static_cast<float>(2.0 * intersection_over_union(box_at(candidates, row),
                                                           known.boxes[row / candidates_per_crop]) -
                             1.0));
    const auto count = static_cast<std::int64_t>(targets.size());
    const PooledFeatures<float> pooled = predictor.pool(
        known.features, Variable<float>(Tensor<float>(Shape{crops, candidates_per_crop, 4},
                                                      std::span<const float>(candidates), device)));
    const Variable<float> truth(
        Tensor<float>(Shape{count}, std::span<const float>(targets), device));
    const double share = 1.0 / std::sqrt(static_cast<double>(count));
    const ResidualFunction<float> residuals = [&](std::span<const Variable<float>> vectors) {
      std::vector<Variable<float>> r{
          (predictor.predict_pooled(pooled, modulation_of(vectors)) - truth) * share};
      for (std::size_t k = 0; k < vectors.size(); ++k) {
        const double unit =
            root_mean_square(start[k]) * std::sqrt(static_cast<double>(start[k].numel())) + 1e-6;
        r.push_back((vectors[k] - Variable<float>(start[k])) *
                    (std::sqrt(options.adaptation_regularization) / unit));
      }
      return r;
    };
    GaussNewtonOptions algorithm1;
    algorithm1.n_gn = 1;
    algorithm1.n_cg = options.adaptation_n_cg;
    minimize_gauss_newton(residuals, w, algorithm1);
  }
  return modulation_of(constants());
}

}  // namespace atomtrack
