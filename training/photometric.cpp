// SPDX-License-Identifier: MIT
#include "atomtrack/training/photometric.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace atomtrack {
namespace {

std::uint8_t rounded(double value) {
  return static_cast<std::uint8_t>(std::clamp(value + 0.5, 0.0, 255.0));
}

void make_gray(Tensor<std::uint8_t>& pixels) {
  // The weights of ITU-R BT.601.
  const auto all = pixels.span();
  for (std::size_t i = 0; i + 2 < all.size(); i += 3) {
    const std::uint8_t gray = rounded(0.299 * all[i] + 0.587 * all[i + 1] + 0.114 * all[i + 2]);
    all[i] = all[i + 1] = all[i + 2] = gray;
  }
}

/// A running mean over 2 radius + 1 pixels along lines of `count` pixels, `stride` bytes apart.
void blur_line(std::uint8_t* line, std::int64_t count, std::int64_t stride, int radius,
               std::vector<int>& copy) {
  copy.resize(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) copy[static_cast<std::size_t>(i)] = line[i * stride];
  const auto at = [&](std::int64_t i) {
    return copy[static_cast<std::size_t>(std::clamp<std::int64_t>(i, 0, count - 1))];
  };
  int sum = 0;
  for (int d = -radius; d <= radius; ++d) sum += at(d);
  const int taps = 2 * radius + 1;
  for (std::int64_t i = 0; i < count; ++i) {
    line[i * stride] = static_cast<std::uint8_t>((sum + radius) / taps);
    sum += at(i + radius + 1) - at(i - radius);
  }
}

void blur(Tensor<std::uint8_t>& pixels, int radius) {
  const std::int64_t height = pixels.extent(0), width = pixels.extent(1);
  std::vector<int> copy;
  for (int c = 0; c < 3; ++c) {
    for (std::int64_t y = 0; y < height; ++y)
      blur_line(pixels.data() + y * width * 3 + c, width, 3, radius, copy);
    for (std::int64_t x = 0; x < width; ++x)
      blur_line(pixels.data() + x * 3 + c, height, width * 3, radius, copy);
  }
}

/// Noise of unit variance, cheaply: the sum of the eight bytes of a random word.
double cheap_normal(RandomSource& random) {
  std::uint64_t word = random.bits();
  int sum = 0;
  for (int i = 0; i < 8; ++i, word >>= 8) sum += static_cast<int>(word & 255U);
  return (sum - 1020.0) / 209.0;  // eight times the variance (256^2 - 1) / 12
}

}  // namespace

PhotometricChange draw_change(const PhotometricOptions& options, bool gray, RandomSource& random) {
  const auto around_one = [&](double amount) { return random.uniform(1.0 - amount, 1.0 + amount); };
  PhotometricChange change;
  change.gray = gray;
  const double brightness = around_one(options.brightness);
  change.contrast = around_one(options.contrast);
  for (double& gain : change.gain) gain = brightness * around_one(options.colour);
  change.exponent = std::exp(random.uniform(-options.gamma, options.gamma));
  const double blurred = random.uniform();
  if (blurred < options.blur) change.blur_radius = blurred < options.blur / 2 ? 1 : 2;
  change.noise = random.uniform(0.0, 1.0) * options.noise;
  change.noise_seed = random.bits();
  return change;
}

void apply(const PhotometricChange& change, Tensor<std::uint8_t>& pixels) {
  require<ShapeError>(pixels.rank() == 3 && pixels.extent(2) == 3, "colours of ", pixels.shape(),
                      ": expected [H,W,3]");
  if (change.gray) make_gray(pixels);
  if (change.blur_radius > 0) blur(pixels, change.blur_radius);
  const auto all = pixels.span();
  double mean = 0.0;
  for (const std::uint8_t value : all) mean += value;
  mean /= std::max<double>(1.0, static_cast<double>(all.size()));
  std::array<std::array<std::uint8_t, 256>, 3> table{};
  for (std::size_t c = 0; c < 3; ++c) {
    for (int value = 0; value < 256; ++value) {
      const double contrasted = (mean + (value - mean) * change.contrast) * change.gain[c];
      const double bounded = std::clamp(contrasted, 0.0, 255.0);
      table[c][static_cast<std::size_t>(value)] = rounded(
          change.exponent == 1.0 ? bounded : 255.0 * std::pow(bounded / 255.0, change.exponent));
    }
  }
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = table[i % 3][all[i]];
  if (change.noise > 0.0) {
    RandomSource random(change.noise_seed);
    for (std::uint8_t& value : all)
      value = rounded(value + change.noise * 255.0 * cheap_normal(random));
  }
}

}  // namespace atomtrack
