// SPDX-License-Identifier: MIT
#include "tracker/search_region.hpp"

#include "atomtrack/image/crop.hpp"
#include "atomtrack/primitives/primitives.hpp"

namespace atomtrack {

SearchRegion::SearchRegion(const WeightsMetadata& metadata, int size, Device device)
    : size_(size), device_(device) {
  constexpr double white = 255.0;
  for (std::size_t c = 0; c < 3; ++c) {
    offset_.push_back(static_cast<float>(white * metadata.mean[c]));
    factor_.push_back(static_cast<float>(1.0 / (white * metadata.deviation[c])));
  }
}

void SearchRegion::cut(const ImageView& image, RowCol position, double scale, Tensor<float>& crops,
                       std::int64_t index) {
  const CropWindow window =
      sample_window(position.row, position.col, scale * size_, size_, image.height, image.width);
  extract_region(image, window, region_);
  Tensor<float> crop = crops.slice(index, 1);
  const Tensor<std::uint8_t> pixels =
      device_.is_host() ? region_.pixels : region_.pixels.to(device_);
  primitives_for<float>(device_).crop_resize_frame(pixels, region_.window, offset_, factor_, crop);
}

Tensor<float> SearchRegion::cut_augmented(const ImageView& image, RowCol position, double scale,
                                          const std::vector<Augmentation>& augmentations) {
  const int wide = 2 * size_;
  const CropWindow window =
      sample_window(position.row, position.col, scale * wide, wide, image.height, image.width);
  extract_region(image, window, region_);
  const std::vector<float> zero(3, 0.0F), one(3, 1.0F);
  Tensor<float> patch(Shape{1, 3, wide, wide});
  primitives_for<float>(Device::cpu())
      .crop_resize_frame(region_.pixels, region_.window, zero, one, patch);

  Tensor<float> crops(Shape{static_cast<std::int64_t>(augmentations.size()), 3, size_, size_});
  for (std::size_t i = 0; i < augmentations.size(); ++i) {
    Tensor<float> crop = crops.slice(static_cast<std::int64_t>(i), 1);
    augment(patch, augmentations[i], crop);
  }
  Primitives<float>& primitives = primitives_for<float>(Device::cpu());
  const Shape per_channel{1, 3, 1, 1};
  primitives.combine(Combination::subtract, crops,
                     Tensor<float>(per_channel, std::span<const float>(offset_)), crops);
  primitives.combine(Combination::multiply, crops,
                     Tensor<float>(per_channel, std::span<const float>(factor_)), crops);
  return device_ == Device::cpu() ? crops : crops.to(device_);
}

}  // namespace atomtrack
