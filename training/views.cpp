// SPDX-License-Identifier: MIT
#include "training/views.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace atomtrack {
namespace {

void mirror_rows(Tensor<std::uint8_t>& pixels) {
  const std::int64_t height = pixels.extent(0), width = pixels.extent(1);
  for (std::int64_t y = 0; y < height; ++y) {
    std::uint8_t* row = pixels.data() + y * width * 3;
    for (std::int64_t left = 0, right = width - 1; left < right; ++left, --right)
      std::swap_ranges(row + left * 3, row + left * 3 + 3, row + right * 3);
  }
}

/// The box whose enlargement is the crop: the target's, perturbed.
Box perturbed(const Box& box, double position, double scale, RandomSource& random) {
  const double width = box.width * std::exp(scale * random.normal());
  const double height = box.height * std::exp(scale * random.normal());
  const double reach = position * std::sqrt(width * height);
  const double x = box.x + box.width / 2 + (random.uniform() - 0.5) * reach;
  const double y = box.y + box.height / 2 + (random.uniform() - 0.5) * reach;
  return {x - width / 2, y - height / 2, width, height};
}

bool needs_affine(const AugmentationOptions& o) {
  return o.rotation > 0 || o.aspect > 0 || o.reflect > 0 || o.reference_position > 0 ||
         o.reference_scale > 0;
}

View draw_view(const Box& box, double position, double scale, bool mirror,
               const AugmentationOptions& options, RandomSource& random) {
  const Box around = perturbed(box, position, scale, random);
  if (!needs_affine(options))
    return {training_crop(around, options.area_scale, options.crop), mirror};
  AffineCrop crop;
  crop.centre_x = around.x + around.width / 2;
  crop.centre_y = around.y + around.height / 2;
  const double side = options.area_scale * std::sqrt(around.width * around.height) / options.crop;
  const double aspect = std::exp(options.aspect * random.normal() / 2);
  crop.scale_x = side * aspect;
  crop.scale_y = side / aspect;
  crop.angle = options.rotation * std::numbers::pi / 180.0 * random.normal();
  crop.mirror = mirror;
  crop.reflect = random.uniform() < options.reflect;
  crop.output = options.crop;
  return View(crop);
}

}  // namespace

int View::output() const {
  return std::visit([](const auto& crop) { return crop.output; }, crop_);
}

Box View::place(const Box& box) const {
  if (const auto* affine = std::get_if<AffineCrop>(&crop_)) return affine->place(box);
  Box placed = std::get<TrainingCrop>(crop_).place(box);
  if (mirror_) placed.x = output() - 1 - placed.x - placed.width;
  return placed;
}

Tensor<std::uint8_t> View::pixels(const Tensor<std::uint8_t>& image) const {
  Tensor<std::uint8_t> result(Shape{output(), output(), 3});
  if (const auto* affine = std::get_if<AffineCrop>(&crop_)) {
    cut(image, *affine, result);
    return result;
  }
  const ImageView view{image.data(), static_cast<int>(image.extent(1)),
                       static_cast<int>(image.extent(0)), 0, PixelFormat::rgb8};
  FrameRegion region;
  cut(view, std::get<TrainingCrop>(crop_), region, result);
  if (mirror_) mirror_rows(result);
  return result;
}

PairViews draw_views(const Box& reference, const Box& test, const AugmentationOptions& options,
                     RandomSource& random) {
  const bool mirror = random.uniform() < options.flip;
  const bool mirror_test = options.flips_apart ? random.uniform() < options.flip : mirror;
  View reference_view = draw_view(reference, options.reference_position, options.reference_scale,
                                  mirror, options, random);
  View test_view = draw_view(test, options.position, options.scale, mirror_test, options, random);
  return {reference_view, test_view};
}

void swap_background(const Tensor<std::uint8_t>& background, const Box& target,
                     Tensor<std::uint8_t>& foreground) {
  require<ShapeError>(background.shape() == foreground.shape(), "background ", background.shape(),
                      " for a crop ", foreground.shape());
  constexpr double softness = 6.0;  // how fast the edge fades
  const std::int64_t height = foreground.extent(0), width = foreground.extent(1);
  for (std::int64_t y = 0; y < height; ++y) {
    const double dy = (static_cast<double>(y) - target.y - target.height / 2) / (target.height / 2);
    for (std::int64_t x = 0; x < width; ++x) {
      const double dx = (static_cast<double>(x) - target.x - target.width / 2) / (target.width / 2);
      // 1 inside the fourth-power ellipse of the box, 0 well outside.
      const double inside = dx * dx * dx * dx + dy * dy * dy * dy;
      const double share = std::clamp(0.5 + (1.0 - std::sqrt(inside)) * softness / 2, 0.0, 1.0);
      for (std::int64_t c = 0; c < 3; ++c) {
        const std::int64_t at = (y * width + x) * 3 + c;
        foreground.data()[at] = static_cast<std::uint8_t>(
            std::lround(share * foreground.data()[at] + (1.0 - share) * background.data()[at]));
      }
    }
  }
}

Occluder draw_occluder(const Box& target, RandomSource& random) {
  const bool from_side = random.uniform() < 0.5, from_far = random.uniform() < 0.5;
  const double along = from_side ? target.width : target.height;
  const double across = from_side ? target.height : target.width;
  // It comes from outside the target, as far as it reaches in.
  const double reach = random.uniform(0.15, 0.6) * along,
               outside = random.uniform(0.1, 1.0) * along;
  const double extent = random.uniform(0.5, 1.6) * across;
  const double start = from_far ? along - reach : -outside;
  const double shift = (across - extent) / 2 + random.uniform(-0.3, 0.3) * across;
  Occluder occluder;
  occluder.box = from_side ? Box{target.x + start, target.y + shift, reach + outside, extent}
                           : Box{target.x + shift, target.y + start, extent, reach + outside};
  occluder.round = random.uniform() < 0.5;
  return occluder;
}

void occlude(const Tensor<std::uint8_t>& front, const Occluder& occluder,
             Tensor<std::uint8_t>& pixels) {
  require<ShapeError>(front.shape() == pixels.shape(), "an occluder's image ", front.shape(),
                      " for a crop ", pixels.shape());
  const std::int64_t height = pixels.extent(0), width = pixels.extent(1);
  const Box& box = occluder.box;
  for (std::int64_t y = 0; y < height; ++y) {
    const double dy = 2.0 * (static_cast<double>(y) - box.y) / box.height - 1.0;
    for (std::int64_t x = 0; x < width; ++x) {
      const double dx = 2.0 * (static_cast<double>(x) - box.x) / box.width - 1.0;
      const bool covered =
          occluder.round ? dx * dx + dy * dy < 1.0 : std::abs(dx) < 1.0 && std::abs(dy) < 1.0;
      if (!covered) continue;
      const std::int64_t at = (y * width + x) * 3;
      std::copy_n(front.data() + at, 3, pixels.data() + at);
    }
  }
}

}  // namespace atomtrack
