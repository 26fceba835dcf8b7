// SPDX-License-Identifier: MIT
#include "atomtrack/training/proposals.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace atomtrack {

Box draw_proposal(const Box& target, double minimum_overlap, RandomSource& random) {
  constexpr std::array<double, 5> relative_noise{0.01, 0.05, 0.1, 0.2, 0.3};
  constexpr int most_tries = 100;
  constexpr double less = 0.9;
  double noise = std::sqrt(target.width * target.height) *
                 relative_noise[static_cast<std::size_t>(random.below(relative_noise.size()))];
  const auto positive = [&](double size, double of) {
    return size <= 1.0 ? of * random.uniform(0.15, 0.5) : size;
  };
  Box candidate = target;
  for (int i = 0; i < most_tries; ++i) {
    const double centre_x = random.normal(target.x + target.width / 2, noise);
    const double centre_y = random.normal(target.y + target.height / 2, noise);
    const double width = positive(random.normal(target.width, noise), target.width);
    const double height = positive(random.normal(target.height, noise), target.height);
    candidate = {std::nearbyint(centre_x - width / 2), std::nearbyint(centre_y - height / 2),
                 positive(std::nearbyint(width), target.width),
                 positive(std::nearbyint(height), target.height)};
    if (intersection_over_union(candidate, target) > minimum_overlap) return candidate;
    noise *= less;
  }
  return target;
}

}  // namespace atomtrack
