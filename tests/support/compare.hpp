// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>

#include "atomtrack/tensor/tensor.hpp"

namespace atomtrack::test {

/// The largest |a - b| over the elements, divided by the largest |b|; infinite where either is not
/// finite or the shapes differ.
template <class A, class B>
double relative_difference(const Tensor<A>& a, const Tensor<B>& b) {
  if (!(a.shape() == b.shape())) return std::numeric_limits<double>::infinity();
  double difference = 0.0;
  double magnitude = 0.0;
  const auto left = a.to_vector();
  const auto right = b.to_vector();
  for (std::size_t i = 0; i < left.size(); ++i) {
    const double gap = std::abs(static_cast<double>(left[i]) - static_cast<double>(right[i]));
    if (!std::isfinite(gap)) return std::numeric_limits<double>::infinity();
    difference = std::max(difference, gap);
    magnitude = std::max(magnitude, std::abs(static_cast<double>(right[i])));
  }
  return magnitude > 0.0 ? difference / magnitude : difference;
}

/// The largest |a - b|, infinite where either is not finite or the shapes differ.
template <class A, class B>
double absolute_difference(const Tensor<A>& a, const Tensor<B>& b) {
  if (!(a.shape() == b.shape())) return std::numeric_limits<double>::infinity();
  double difference = 0.0;
  const auto left = a.to_vector();
  const auto right = b.to_vector();
  for (std::size_t i = 0; i < left.size(); ++i) {
    const double gap = std::abs(static_cast<double>(left[i]) - static_cast<double>(right[i]));
    if (!std::isfinite(gap)) return std::numeric_limits<double>::infinity();
    difference = std::max(difference, gap);
  }
  return difference;
}

}  // namespace atomtrack::test
