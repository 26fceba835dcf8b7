// SPDX-License-Identifier: MIT
#include "atomtrack/tracker/labels.hpp"

#include <cmath>
#include <vector>

namespace atomtrack {
namespace {

constexpr int cell = 16;  // crop pixels per cell of the classifier's feature map

std::vector<double> gaussian(double centre, double sigma, int count) {
  std::vector<double> values;
  for (int i = 0; i < count; ++i) {
    const double distance = i - (count - 1) / 2.0 - centre;
    values.push_back(std::exp(-distance * distance / (2 * sigma * sigma)));
  }
  return values;
}

}  // namespace

void gaussian_label(RowCol centre, RowCol sigma, int height, int width, float* label) {
  const std::vector<double> rows = gaussian(centre.row, sigma.row, height);
  const std::vector<double> columns = gaussian(centre.col, sigma.col, width);
  for (const double row : rows) {
    for (const double column : columns) *label++ = static_cast<float>(row * column);
  }
}

double label_sigma(RowCol base_size, const Options& options) {
  return std::sqrt(base_size.row * base_size.col) / cell * options.label_sigma;
}

RowCol label_centre(RowCol target_position, RowCol sample_position, double sample_scale,
                    const Options& options) {
  const double cells_per_pixel = 1.0 / (sample_scale * cell);
  const double even_shift = options.filter_size % 2 == 0 ? 0.5 : 0.0;
  return {(target_position.row - sample_position.row) * cells_per_pixel + even_shift,
          (target_position.col - sample_position.col) * cells_per_pixel + even_shift};
}

}  // namespace atomtrack
