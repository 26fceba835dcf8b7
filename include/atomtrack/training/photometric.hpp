// SPDX-License-Identifier: MIT
#pragma once

#include "atomtrack/tensor/random.hpp"
#include "atomtrack/tensor/tensor.hpp"

namespace atomtrack {

/// How much the colours of crops vary. The released training changes brightness by 0.2 and makes
/// one pair in twenty grey; the rest is for training on little data.
struct PhotometricOptions {
  double grayscale = 0.05;  ///< probability that a pair is grey
  double brightness = 0.2;  ///< all channels times 1 +- this
  double contrast = 0.0;    ///< distance from the mean times 1 +- this
  double colour = 0.0;      ///< each channel times 1 +- this
  double gamma = 0.0;       ///< exponent exp(+- this)
  double blur = 0.0;        ///< probability of a box blur of 3 or 5 pixels
  double noise = 0.0;  ///< largest standard deviation of Gaussian noise, 1 being the full range
};

/// What is done to one crop.
struct PhotometricChange {
  bool gray = false;
  double exponent = 1.0;
  double contrast = 1.0;
  double gain[3] = {1.0, 1.0, 1.0};
  int blur_radius = 0;
  double noise = 0.0;
  std::uint64_t noise_seed = 0;
};

PhotometricChange draw_change(const PhotometricOptions& options, bool gray, RandomSource& random);

/// Applies a change to RGB pixels [H,W,3] in place.
void apply(const PhotometricChange& change, Tensor<std::uint8_t>& pixels);

}  // namespace atomtrack
