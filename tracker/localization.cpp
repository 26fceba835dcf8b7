// SPDX-License-Identifier: MIT
#include "atomtrack/tracker/localization.hpp"

#include <cmath>
#include <numbers>
#include <vector>

#include "atomtrack/primitives/primitives.hpp"

namespace atomtrack {
namespace {

constexpr double pi = std::numbers::pi;

/// The kernel that interpolates `cells` periodic samples: the sum of their Fourier series. For an
/// even count both halves of the highest frequency are kept in full, so that it does not pass
/// through the samples exactly.
double dirichlet(double t, int cells) {
  double sum = 1.0;
  for (int k = 1; k <= cells / 2; ++k) sum += 2.0 * std::cos(2.0 * pi * k * t / cells);
  return sum / cells;
}

/// A Hann window about `middle`, without its zeros.
double hann(int m, double middle, int size) {
  return 0.5 * (1 + std::cos(2 * pi * (m - middle) / (size + 2.0)));
}

double length(RowCol v) {
  return std::hypot(v.row, v.col);
}

}  // namespace

Localizer::Localizer(const Options& options, int cells, Device device)
    : options_(options), cells_(cells), middle_(options.crop_size / 2.0) {
  const std::int64_t size = options.crop_size;
  const double stride = static_cast<double>(size) / cells;
  // No displacement is where label_centre puts the label of a centred target: in the map's middle
  // (cells - 1) / 2 for an odd filter, half a cell further for an even one (conv2d_same). The
  // interpolated map's `middle_` has to fall there.
  const double offset = options.filter_size % 2 == 0 ? 0.0 : 0.5;
  std::vector<float> basis, window;
  for (int m = 0; m < size; ++m) {
    for (int i = 0; i < cells; ++i)
      basis.push_back(static_cast<float>(dirichlet(m / stride - offset - i, cells)));
  }
  basis_ = Tensor<float>(Shape{size, cells}, std::span<const float>(basis), device);
  if (!options.window_scores) return;
  for (int m = 0; m < size; ++m) {
    for (int n = 0; n < size; ++n)
      window.push_back(static_cast<float>(hann(m, middle_, options.crop_size) *
                                          hann(n, middle_, options.crop_size)));
  }
  window_ = Tensor<float>(Shape{1, size, size}, std::span<const float>(window), device);
}

Tensor<float> Localizer::interpolate(const Tensor<float>& scores) const {
  require<ShapeError>(scores.shape() == Shape{scores.extent(0), 1, cells_, cells_}, "scores ",
                      scores.shape(), ": expected [N,1,", cells_, ",", cells_, "]");
  const std::int64_t maps = scores.extent(0), size = options_.crop_size;
  Primitives<float>& primitives = primitives_for<float>(scores.device());
  // basis scores basis^T, the columns of all maps first.
  Tensor<float> wide(Shape{maps * cells_, size}, scores.device());
  primitives.gemm(false, true, scores.reshape(Shape{maps * cells_, cells_}), basis_,
                  Write::overwrite, wide);
  Tensor<float> result(Shape{maps, size, size}, scores.device());
  for (std::int64_t n = 0; n < maps; ++n) {
    Tensor<float> map = result.slice(n, 1).reshape(Shape{size, size});
    primitives.gemm(false, false, basis_, wide.slice(n * cells_, cells_), Write::overwrite, map);
  }
  return result;
}

std::array<double, 2> Localizer::neighbourhood(RowCol target_size) const {
  return {options_.target_neighborhood_scale * target_size.row,
          options_.target_neighborhood_scale * target_size.col};
}

Tensor<float> Localizer::peaks(const Tensor<float>& scores,
                               const Tensor<double>& neighbourhoods) const {
  Primitives<float>& primitives = primitives_for<float>(scores.device());
  Tensor<float> maps = interpolate(scores);
  if (window_.defined()) primitives.combine(Combination::multiply, maps, window_, maps);
  Tensor<float> result(Shape{maps.extent(0), 6}, scores.device());
  primitives.two_peaks(maps, neighbourhoods, result);
  return result;
}

Localization Localizer::decide(std::span<const float, 6> peaks) const {
  const auto at = [&](std::size_t k) { return static_cast<double>(peaks[k]); };
  const RowCol first{at(0) - middle_, at(1) - middle_}, second{at(3) - middle_, at(4) - middle_};
  const double first_score = at(2), second_score = at(5);
  if (std::isnan(first_score)) return {{}, 0.0, State::lost};
  Localization result{first, first_score, State::tracked};
  if (first_score < options_.target_not_found_threshold) {
    result.state = State::lost;
  } else if (second_score > options_.distractor_threshold * first_score) {
    // Two peaks compete: the near one is the target if only one is near.
    const double far = options_.displacement_scale * options_.crop_size / 2;
    const bool first_far = length(first) > far, second_far = length(second) > far;
    result.state = first_far == second_far ? State::uncertain : State::hard_negative;
    if (first_far && !second_far) result.displacement = second;
  } else if (second_score > options_.hard_negative_threshold * first_score &&
             second_score > options_.target_not_found_threshold) {
    result.state = State::hard_negative;
  }
  return result;
}

Localization Localizer::localize(const Tensor<float>& scores, RowCol target_size) const {
  const std::array<double, 2> size = neighbourhood(target_size);
  const Tensor<double> sizes(Shape{1, 2}, std::span<const double>(size), scores.device());
  const std::vector<float> found = peaks(scores, sizes).to_vector();
  return decide(std::span<const float, 6>(found.data(), 6));
}

}  // namespace atomtrack
