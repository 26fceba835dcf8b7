// SPDX-License-Identifier: MIT
#pragma once

#include <variant>

#include "atomtrack/image/training_crop.hpp"
#include "atomtrack/training/pair_source.hpp"

namespace atomtrack {

/// How one of a pair's crops is cut: by the released rule, or by an affine map.
class View {
 public:
  View(const TrainingCrop& crop, bool mirror) : crop_(crop), mirror_(mirror) {}
  explicit View(const AffineCrop& crop) : crop_(crop), mirror_(crop.mirror) {}

  /// Where a box of the image lies in the crop.
  Box place(const Box& box) const;
  /// RGB [S,S,3] of the image.
  Tensor<std::uint8_t> pixels(const Tensor<std::uint8_t>& image) const;

 private:
  int output() const;

  std::variant<TrainingCrop, AffineCrop> crop_;
  bool mirror_;
};

/// The crops of a pair: the reference around its box, the test image with perturbed position and
/// scale (section 3.1).
struct PairViews {
  View reference, test;
};
PairViews draw_views(const Box& reference, const Box& test, const AugmentationOptions& options,
                     RandomSource& random);

/// Lays what `place`d box `target` shows in `foreground` over `background` (both [S,S,3]), fading
/// out toward the box's corners. Writes to `foreground`.
void swap_background(const Tensor<std::uint8_t>& background, const Box& target,
                     Tensor<std::uint8_t>& foreground);

/// Something between the camera and a target.
struct Occluder {
  Box box;
  bool round;  ///< the ellipse in the box instead of all of it
};
/// One that reaches over 0.15 to 0.6 of `target` from one of its sides.
Occluder draw_occluder(const Box& target, RandomSource& random);
/// Lays `front` over `pixels` (both [S,S,3]) where the occluder is. Writes to `pixels`.
void occlude(const Tensor<std::uint8_t>& front, const Occluder& occluder,
             Tensor<std::uint8_t>& pixels);

}  // namespace atomtrack
