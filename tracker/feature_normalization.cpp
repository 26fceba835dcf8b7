// SPDX-License-Identifier: MIT
#include "atomtrack/tracker/feature_normalization.hpp"

#include "atomtrack/primitives/primitives.hpp"

namespace atomtrack {

void normalize_power(Tensor<float>& features) {
  constexpr double epsilon = 1e-10;
  const Device device = features.device();
  Primitives<float>& primitives = primitives_for<float>(device);
  const std::int64_t images = features.extent(0);
  if (features.numel() == 0) return;
  Tensor<float> squares(features.shape(), device);
  Tensor<float> power(Shape{images, 1, 1, 1}, device);
  primitives.map({MapKind::square}, features, squares);
  primitives.reduce_sum(squares, Write::overwrite, power);
  primitives.map(
      {MapKind::scale, static_cast<double>(images) / static_cast<double>(features.numel())}, power,
      power);
  primitives.map({MapKind::offset, epsilon}, power, power);
  primitives.map({MapKind::sqrt}, power, power);
  primitives.combine(Combination::divide, features, power, features);
}

}  // namespace atomtrack
