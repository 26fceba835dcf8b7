// SPDX-License-Identifier: MIT
#include "atomtrack/tracker/localization.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

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

/// Where (row, col) of a map of `width` columns is stored.
std::size_t flat(int row, int col, int width) {
  return static_cast<std::size_t>(row) * static_cast<std::size_t>(width) +
         static_cast<std::size_t>(col);
}

struct Peak {
  int row = 0, col = 0;
  float score = 0.0F;
};

Peak highest(const std::vector<float>& map, int size) {
  const auto at = static_cast<int>(std::max_element(map.begin(), map.end()) - map.begin());
  return {at / size, at % size, map[static_cast<std::size_t>(at)]};
}

double length(RowCol v) {
  return std::hypot(v.row, v.col);
}

/// std::nearbyint rounds halves to even.
int rounded(double value) {
  return static_cast<int>(std::nearbyint(value));
}

}  // namespace

Localizer::Localizer(const Options& options, int cells)
    : options_(options),
      cells_(cells),
      basis_(flat(options.crop_size, 0, cells)),
      rows_(basis_.size()),
      map_(flat(options.crop_size, 0, options.crop_size)) {
  const int size = options.crop_size;
  const double stride = static_cast<double>(size) / cells;
  // No displacement is where label_centre puts the label of a centred target: in the map's middle
  // (cells - 1) / 2 for an odd filter, half a cell further for an even one (conv2d_same). The
  // interpolated map's `middle_` has to fall there.
  const double offset = options.filter_size % 2 == 0 ? 0.0 : 0.5;
  middle_ = static_cast<double>(size) / 2;
  for (int m = 0; m < size; ++m) {
    for (int i = 0; i < cells; ++i) {
      basis_[flat(m, i, cells)] = static_cast<float>(dirichlet(m / stride - offset - i, cells));
    }
  }
  if (options.window_scores) {
    // A cosine window (Hann, without its zeros) about the middle.
    const double period = options.crop_size + 2.0;
    for (int m = 0; m < size; ++m)
      window_.push_back(static_cast<float>(0.5 * (1 + std::cos(2 * pi * (m - middle_) / period))));
  }
}

const std::vector<float>& Localizer::interpolate(const Tensor<float>& scores) {
  require<ShapeError>(scores.shape() == Shape{1, 1, cells_, cells_}, "scores ", scores.shape(),
                      ": expected [1,1,", cells_, ",", cells_, "]");
  const Tensor<float> host = scores.device().is_host() ? scores : scores.to(Device::cpu());
  const int size = options_.crop_size;
  const float* raw = host.data();
  for (int m = 0; m < size; ++m) {
    for (int j = 0; j < cells_; ++j) {
      float sum = 0.0F;
      for (int i = 0; i < cells_; ++i) sum += basis_[flat(m, i, cells_)] * raw[i * cells_ + j];
      rows_[flat(m, j, cells_)] = sum;
    }
  }
  // The columns: map = rows basis^T, in the order in which the inner loop runs over neighbours of a
  // transposed basis.
  std::fill(map_.begin(), map_.end(), 0.0F);
  std::vector<float> column(static_cast<std::size_t>(size));
  for (int j = 0; j < cells_; ++j) {
    for (int n = 0; n < size; ++n) column[static_cast<std::size_t>(n)] = basis_[flat(n, j, cells_)];
    for (int m = 0; m < size; ++m) {
      const float factor = rows_[flat(m, j, cells_)];
      float* row = map_.data() + static_cast<std::ptrdiff_t>(m) * size;
      for (int n = 0; n < size; ++n) row[n] += factor * column[static_cast<std::size_t>(n)];
    }
  }
  return map_;
}

Localization Localizer::localize(const Tensor<float>& scores, RowCol target_size) {
  interpolate(scores);
  const int size = options_.crop_size;
  for (int m = 0; m < size && !window_.empty(); ++m) {
    for (int n = 0; n < size; ++n)
      map_[flat(m, n, size)] *=
          window_[static_cast<std::size_t>(m)] * window_[static_cast<std::size_t>(n)];
  }
  const auto displacement = [&](const Peak& peak) {
    return RowCol{peak.row - middle_, peak.col - middle_};
  };
  const Peak first = highest(map_, size);
  Localization result{displacement(first), first.score, State::tracked};
  if (!(first.score >= options_.target_not_found_threshold)) {  // also where it is not a number
    if (std::isnan(first.score)) result = {};
    result.state = State::lost;
    return result;
  }

  // The second peak: the highest outside the target's neighbourhood.
  const double height = options_.target_neighborhood_scale * target_size.row;
  const double width = options_.target_neighborhood_scale * target_size.col;
  const auto bounded = [size](double value) {
    return std::clamp(rounded(std::clamp(value, -1e6, 1e6)), 0, size);
  };
  for (int m = bounded(first.row - height / 2); m < bounded(first.row + height / 2 + 1); ++m) {
    for (int n = bounded(first.col - width / 2); n < bounded(first.col + width / 2 + 1); ++n)
      map_[flat(m, n, size)] = 0.0F;
  }
  const Peak second = highest(map_, size);

  if (second.score > options_.distractor_threshold * first.score) {
    // Two peaks compete: the near one is the target if only one is near.
    const double far = options_.displacement_scale * size / 2;
    const bool first_far = length(displacement(first)) > far;
    const bool second_far = length(displacement(second)) > far;
    if (first_far == second_far) {
      result.state = State::uncertain;
    } else {
      result.state = State::hard_negative;
      if (first_far) result.displacement = displacement(second);
    }
  } else if (second.score > options_.hard_negative_threshold * first.score &&
             second.score > options_.target_not_found_threshold) {
    result.state = State::hard_negative;
  }
  return result;
}

}  // namespace atomtrack
