// SPDX-License-Identifier: MIT
#include "atomtrack/image/training_crop.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace atomtrack {
namespace {

constexpr int weight_bits = 11;
constexpr double largest_coordinate = 1e9;

/// Two neighbouring source pixels and their weights, which sum to 2^11.
struct Tap {
  std::int64_t first, second;
  std::int32_t first_weight, second_weight;
};

std::vector<Tap> taps(std::int64_t inputs, int outputs) {
  const double step = static_cast<double>(inputs) / outputs;
  std::vector<Tap> result;
  for (int i = 0; i < outputs; ++i) {
    const auto source = static_cast<float>((i + 0.5) * step - 0.5);
    const float below = std::floor(source);
    const float share = source - below;
    const auto weight = [](float value) {  // std::nearbyint rounds halves to even
      return static_cast<std::int32_t>(std::nearbyint(value * (1 << weight_bits)));
    };
    const auto at = static_cast<std::int64_t>(below);
    result.push_back({std::clamp<std::int64_t>(at, 0, inputs - 1),
                      std::clamp<std::int64_t>(at + 1, 0, inputs - 1), weight(1.0F - share),
                      weight(share)});
  }
  return result;
}

/// One source row [n,3] resized to [taps,3], with 11 bits of fraction.
void resize_row(const std::uint8_t* from, const std::vector<Tap>& columns, std::int32_t* to) {
  for (const Tap& tap : columns) {
    for (int c = 0; c < 3; ++c) {
      *to++ =
          tap.first_weight * from[tap.first * 3 + c] + tap.second_weight * from[tap.second * 3 + c];
    }
  }
}

}  // namespace

Box TrainingCrop::place(const Box& box) const {
  const double middle = (output - 1) / 2.0;
  const double scale = factor();
  const double dx = box.x + box.width / 2 - (around.x + around.width / 2);
  const double dy = box.y + box.height / 2 - (around.y + around.height / 2);
  const double width = box.width * scale, height = box.height * scale;
  return {middle + dx * scale - width / 2, middle + dy * scale - height / 2, width, height};
}

TrainingCrop training_crop(const Box& around, double area_scale, int output) {
  const double side = std::ceil(area_scale * std::sqrt(around.width * around.height));
  require<InputError>(around.width > 0 && around.height > 0 && side >= 1 &&
                          side < largest_coordinate && std::abs(around.x) < largest_coordinate &&
                          std::abs(around.y) < largest_coordinate && output >= 1,
                      "training crop to ", output, " pixels around the box ", around.x, ",",
                      around.y, ",", around.width, ",", around.height, " enlarged ", area_scale,
                      " times: expected finite numbers and positive sizes");
  TrainingCrop crop;
  crop.side = static_cast<std::int64_t>(side);
  // Halves to even.
  crop.left = static_cast<std::int64_t>(std::nearbyint(around.x + around.width / 2 - side / 2));
  crop.top = static_cast<std::int64_t>(std::nearbyint(around.y + around.height / 2 - side / 2));
  crop.output = output;
  crop.around = around;
  return crop;
}

void cut(const ImageView& image, const TrainingCrop& crop, FrameRegion& region,
         Tensor<std::uint8_t>& pixels) {
  check(image);
  require<ShapeError>(pixels.shape() == Shape{crop.output, crop.output, 3}, "training crop ",
                      pixels.shape(), ": expected [", crop.output, ",", crop.output, ",3]");
  // The edge's last column and row are not seen by a square that reaches them.
  ImageView seen = image;
  if (seen.stride == 0) seen.stride = row_bytes(image);
  if (crop.left + crop.side >= image.width) seen.width = std::max(1, image.width - 1);
  if (crop.top + crop.side >= image.height) seen.height = std::max(1, image.height - 1);
  CropWindow window;
  window.top = crop.top;
  window.left = crop.left;
  window.height = window.width = crop.side;
  extract_region(seen, window, region);

  std::vector<Tap> rows = taps(crop.side, crop.output);
  std::vector<Tap> columns = rows;
  const auto within_region = [](std::vector<Tap>& all, std::int64_t start, std::int64_t extent) {
    for (Tap& tap : all) {
      tap.first = std::clamp<std::int64_t>(start + tap.first, 0, extent - 1);
      tap.second = std::clamp<std::int64_t>(start + tap.second, 0, extent - 1);
    }
  };
  within_region(rows, region.window.top, region.pixels.extent(0));
  within_region(columns, region.window.left, region.pixels.extent(1));

  // The two rows between which the current output row lies; neighbours mostly share them.
  const std::size_t length = columns.size() * 3;
  std::vector<std::int32_t> upper(length), lower(length);
  std::int64_t upper_row = -1, lower_row = -1;
  const auto source = [&](std::int64_t row) {
    return region.pixels.data() + row * region.pixels.extent(1) * 3;
  };
  std::uint8_t* to = pixels.data();
  for (const Tap& tap : rows) {
    if (tap.first == lower_row) {
      std::swap(upper, lower);
      std::swap(upper_row, lower_row);
    }
    if (tap.first != upper_row) resize_row(source(upper_row = tap.first), columns, upper.data());
    if (tap.second != lower_row) resize_row(source(lower_row = tap.second), columns, lower.data());
    // Four bits are dropped before and sixteen after the product; two remain for rounding.
    for (std::size_t i = 0; i < length; ++i) {
      const std::int32_t sum = ((tap.first_weight * (upper[i] >> 4)) >> 16) +
                               ((tap.second_weight * (lower[i] >> 4)) >> 16);
      *to++ = static_cast<std::uint8_t>((sum + 2) >> 2);
    }
  }
}

}  // namespace atomtrack
