// SPDX-License-Identifier: MIT
#include "atomtrack/tracker/box_refinement.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "atomtrack/autodiff/operations.hpp"
#include "atomtrack/image/relative_box.hpp"
#include "atomtrack/layers/box_ascent.hpp"

namespace atomtrack {
namespace {

/// Boxes, [K,4] in the coordinates that ascend.
template <class T>
using Rows = std::vector<std::array<T, 4>>;

template <class T>
Rows<T> rows_of(const Tensor<T>& tensor) {
  const std::vector<T> values = tensor.to_vector();
  Rows<T> rows(values.size() / 4);
  for (std::size_t i = 0; i < values.size(); ++i) rows[i / 4][i % 4] = values[i];
  return rows;
}

template <class T>
Tensor<T> tensor_of(const Rows<T>& rows, Device device) {
  std::vector<T> values;
  for (const auto& row : rows) values.insert(values.end(), row.begin(), row.end());
  return Tensor<T>(Shape{static_cast<std::int64_t>(rows.size()), 4}, std::span<const T>(values),
                   device);
}

/// `from_relative`, differentiable: [1,K,4] -> [1,K,4].
template <class T>
Variable<T> boxes_from_relative(const Variable<T>& relative, T w0, T h0) {
  const Variable<T> unit(Tensor<T>(Shape{1, 1, 2}, {w0, h0}, relative.device()));
  const Variable<T> size = exp(slice(relative, 2, 2, 2));
  return concat({slice(relative, 2, 0, 2) * unit - size * 0.5, size}, 2);
}

/// Every box takes every step, so that the host has nothing to decide and waits for nothing.
template <class T>
RefinedBoxes<T> step_by_step(const OverlapPredictor<T>& predict, const Tensor<T>& boxes,
                             const RefinementOptions& options) {
  const std::int64_t count = boxes.extent(0);
  const auto position = static_cast<T>(options.position_step),
             size = static_cast<T>(options.size_step);
  const Tensor<T> length(Shape{4}, {position, position, size, size}, boxes.device());
  AscentStep<T> reached{boxes.reshape(Shape{1, count, 4}), {}};
  for (int step = 0; step < options.steps; ++step)
    reached = ascended(predict, reached.boxes, length);
  Tensor<T> overlap;
  if (reached.overlap.defined()) overlap = reached.overlap.reshape(Shape{count});
  return {reached.boxes.reshape(Shape{count, 4}), overlap};
}

/// The arithmetic of 40 numbers is the host's, which decides on every box's every step.
template <class T>
RefinedBoxes<T> box_by_box(const OverlapPredictor<T>& predict, const Tensor<T>& boxes,
                           const RefinementOptions& options) {
  const Device device = boxes.device();
  const std::int64_t count = boxes.extent(0);
  const bool relative = options.space == RefinementSpace::relative;
  Rows<T> rows = rows_of(boxes);
  const T w0 = rows.front()[2], h0 = rows.front()[3];
  if (relative) {
    for (auto& row : rows) row = to_relative(row, w0, h0);
  }
  Rows<T> before = rows;
  std::vector<T> previous(rows.size(),
                          -std::numeric_limits<T>::infinity());  // overlap one step ago
  std::vector<T> factor(rows.size(), T{1});  // what decay has left of each box's step length
  Tensor<T> overlap;

  for (int step = 0; step < options.steps; ++step) {
    const Variable<T> at = Variable<T>::leaf(tensor_of(rows, device).reshape(Shape{1, count, 4}));
    const Variable<T> predicted = predict(relative ? boxes_from_relative(at, w0, h0) : at);
    const Rows<T> gradient = rows_of(backprop(sum(predicted), at, Differentiable::no).value());
    overlap = predicted.value().reshape(Shape{count});
    const std::vector<T> score = overlap.to_vector();
    for (std::size_t k = 0; k < rows.size(); ++k) {
      const bool raised = score[k] > previous[k];
      previous[k] = score[k];
      if (options.decay < 1.0 && !raised) {
        factor[k] *= static_cast<T>(options.decay);
        rows[k] = before[k];
        continue;
      }
      before[k] = rows[k];
      const T w = relative ? T{1} : rows[k][2], h = relative ? T{1} : rows[k][3];
      const std::array<T, 4> scale{w, h, w, h};
      for (std::size_t i = 0; i < 4; ++i) {
        const double length = i < 2 ? options.position_step : options.size_step;
        rows[k][i] += factor[k] * static_cast<T>(length) * gradient[k][i] * scale[i];
      }
    }
  }
  Tensor<T> refined = tensor_of(rows, device);
  if (relative)
    refined = boxes_from_relative(Variable<T>(refined.reshape(Shape{1, count, 4})), w0, h0)
                  .value()
                  .reshape(Shape{count, 4});
  return {refined, overlap};
}

}  // namespace

template <class T>
RefinedBoxes<T> refine_boxes(const OverlapPredictor<T>& predict, const Tensor<T>& boxes,
                             const RefinementOptions& options) {
  require<ShapeError>(boxes.rank() == 2 && boxes.extent(1) == 4 && boxes.extent(0) >= 1,
                      "refine_boxes: boxes ", boxes.shape(), ": expected [K,4] with K at least 1");
  if (options.decay < 1.0 || options.space == RefinementSpace::relative)
    return box_by_box(predict, boxes, options);
  return step_by_step(predict, boxes, options);
}

std::vector<Box> propose_boxes(const Box& box, const Options& options, RandomSource& random) {
  const double side = std::sqrt(box.width * box.height);
  const double smallest = std::min(box.width, box.height) * options.proposal_minimum_size;
  std::vector<Box> proposals{box};
  while (static_cast<int>(proposals.size()) < options.proposals) {
    const auto noise = [&](double amplitude) {
      return (random.uniform() - 0.5) * side * amplitude;
    };
    const double dx = noise(options.proposal_position_noise),
                 dy = noise(options.proposal_position_noise);
    const double width = std::max(box.width + noise(options.proposal_size_noise), smallest);
    const double height = std::max(box.height + noise(options.proposal_size_noise), smallest);
    proposals.push_back({box.x + box.width / 2 + dx - width / 2,
                         box.y + box.height / 2 + dy - height / 2, width, height});
  }
  return proposals;
}

bool mean_of_best(const Tensor<float>& boxes, const Tensor<float>& overlap, const Options& options,
                  Box& mean, double& mean_overlap) {
  // One array, because each that is fetched from a device is waited for.
  const Variable<float> scores(overlap.reshape(Shape{overlap.numel(), 1}));
  const std::vector<float> joined = concat({Variable<float>(boxes), scores}, 1).value().to_vector();
  Rows<float> rows(joined.size() / 5);
  std::vector<float> score(rows.size());
  std::vector<std::size_t> order;
  for (std::size_t k = 0; k < rows.size(); ++k) {
    std::copy_n(joined.data() + 5 * k, 4, rows[k].begin());
    score[k] = joined[5 * k + 4];
    auto& [x, y, w, h] = rows[k];
    w = std::max(w, 1.0F);
    h = std::max(h, 1.0F);
    const double aspect = static_cast<double>(w) / static_cast<double>(h);
    const bool finite =
        std::isfinite(x) && std::isfinite(y) && std::isfinite(aspect) && std::isfinite(score[k]);
    if (finite && aspect < options.maximum_aspect_ratio &&
        aspect > 1.0 / options.maximum_aspect_ratio)
      order.push_back(k);
  }
  if (order.empty()) return false;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return score[a] > score[b]; });
  order.resize(std::min(order.size(), static_cast<std::size_t>(options.boxes_averaged)));
  std::array<double, 4> sum{};
  double score_sum = 0.0;
  for (const std::size_t k : order) {
    for (std::size_t i = 0; i < 4; ++i) sum[i] += static_cast<double>(rows[k][i]);
    score_sum += static_cast<double>(score[k]);
  }
  const auto count = static_cast<double>(order.size());
  mean = {sum[0] / count, sum[1] / count, sum[2] / count, sum[3] / count};
  mean_overlap = score_sum / count;
  return true;
}

template RefinedBoxes<float> refine_boxes(const OverlapPredictor<float>&, const Tensor<float>&,
                                          const RefinementOptions&);
template RefinedBoxes<double> refine_boxes(const OverlapPredictor<double>&, const Tensor<double>&,
                                           const RefinementOptions&);

}  // namespace atomtrack
