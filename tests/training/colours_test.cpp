// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <cmath>

#include "atomtrack/training/photometric.hpp"

using namespace atomtrack;

namespace {

Tensor<std::uint8_t> noise(std::uint64_t seed) {
  Tensor<std::uint8_t> image(Shape{16, 12, 3});
  RandomSource random(seed);
  for (auto& value : image.span()) value = static_cast<std::uint8_t>(random.below(256));
  return image;
}

double mean_of(const Tensor<std::uint8_t>& image) {
  double sum = 0.0;
  for (const auto value : image.span()) sum += value;
  return sum / static_cast<double>(image.numel());
}

double roughness(const Tensor<std::uint8_t>& image) {
  double sum = 0.0;
  const auto all = image.span();
  for (std::size_t i = 3; i < all.size(); ++i) sum += std::abs(all[i] - all[i - 3]);
  return sum;
}

}  // namespace

TEST_CASE("no change leaves every pixel as it is") {
  auto image = noise(1);
  apply(PhotometricChange{}, image);
  CHECK(image.to_vector() == noise(1).to_vector());
}

TEST_CASE("each change does what its name says") {
  PhotometricChange gray;
  gray.gray = true;
  auto image = noise(2);
  apply(gray, image);
  for (std::int64_t i = 0; i < image.numel(); i += 3) {
    CHECK(image.data()[i] == image.data()[i + 1]);
    CHECK(image.data()[i] == image.data()[i + 2]);
  }
  PhotometricChange darker;
  for (double& gain : darker.gain) gain = 0.5;
  image = noise(2);
  apply(darker, image);
  CHECK(mean_of(image) == doctest::Approx(mean_of(noise(2)) / 2).epsilon(0.01));
  PhotometricChange flat;
  flat.contrast = 0.0;
  image = noise(2);
  apply(flat, image);
  for (const auto value : image.span()) CHECK(std::abs(value - mean_of(noise(2))) <= 0.51);
  PhotometricChange blurred;
  blurred.blur_radius = 2;
  image = noise(2);
  apply(blurred, image);
  CHECK(roughness(image) < 0.4 * roughness(noise(2)));
  CHECK(mean_of(image) == doctest::Approx(mean_of(noise(2))).epsilon(0.05));
  PhotometricChange noisy;
  noisy.noise = 0.05;
  noisy.noise_seed = 4;
  auto constant = Tensor<std::uint8_t>::full(Shape{64, 64, 3}, 128);
  apply(noisy, constant);
  double squares = 0.0;
  for (const auto value : constant.span()) squares += (value - 128.0) * (value - 128.0);
  CHECK(std::sqrt(squares / static_cast<double>(constant.numel())) ==
        doctest::Approx(0.05 * 255).epsilon(0.03));
}

TEST_CASE("changes are drawn within their bounds") {
  const PhotometricOptions options{0.0, 0.2, 0.1, 0.05, 0.3, 0.4, 0.02};
  RandomSource random(9);
  int blurs = 0;
  for (int i = 0; i < 300; ++i) {
    const PhotometricChange change = draw_change(options, false, random);
    for (const double gain : change.gain) {
      CHECK(gain >= 0.8 * 0.95);
      CHECK(gain <= 1.2 * 1.05);
    }
    CHECK(std::abs(change.contrast - 1.0) <= 0.1);
    CHECK(std::abs(std::log(change.exponent)) <= 0.3);
    CHECK(change.noise <= 0.02);
    blurs += change.blur_radius > 0 ? 1 : 0;
  }
  CHECK(blurs > 80);
  CHECK(blurs < 160);
}
