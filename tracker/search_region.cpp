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

/// As they are where `device` can read them, else copied.
Tensor<std::uint8_t> SearchRegion::region_pixels_on(Device device) {
  const Tensor<std::uint8_t>& pixels = region_.pixels;
  const Device here = pixels.device();
  if (here == device || (here.is_host() && device.is_host())) return pixels;
  if (!here.is_host() || device.is_host()) return pixels.to(device);
  // The region grows and shrinks with the target: its room on the GPU is that of the largest.
  if (!uploaded_.defined() || uploaded_.numel() < pixels.numel())
    uploaded_ = Tensor<std::uint8_t>(Shape{region_.memory.numel()}, device);
  Tensor<std::uint8_t> copy = uploaded_.slice(0, pixels.numel()).reshape(pixels.shape());
  device_memory(device).copy_from_host(copy.data(), pixels.data(), pixels.bytes());
  return copy;
}

void SearchRegion::cut(const ImageView& image, RowCol position, double scale, Tensor<float>& crops,
                       std::int64_t index) {
  const CropWindow window =
      sample_window(position.row, position.col, scale * size_, size_, image.height, image.width);
  extract_region(image, window, region_);
  Tensor<float> crop = crops.slice(index, 1);
  primitives_for<float>(device_).crop_resize_frame(region_pixels_on(device_), region_.window,
                                                   offset_, factor_, crop);
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
      .crop_resize_frame(region_pixels_on(Device::cpu()), region_.window, zero, one, patch);

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
