// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "atomtrack/tensor/random.hpp"
#include "atomtrack/tensor/tensor.hpp"

namespace atomtrack {

/// One transform of the first frame's patch (section 3.3: translation, rotation, blur; dropout acts
/// on features and is not here).
struct Augmentation {
  enum class Kind { identity, translation, flip, blur, rotation } kind = Kind::identity;
  int shift_row = 0;       ///< pixels by which the content moves within the crop, down
  int shift_col = 0;       ///< and to the right
  double sigma_row = 0.0;  ///< blur: standard deviations of the Gaussian, pixels
  double sigma_col = 0.0;
  double angle = 0.0;  ///< rotation: degrees, counter-clockwise on screen
};

/// The 23 transforms of the first frame, in the released tracker's order: the identity, four
/// translations, a flip, five blurs, twelve rotations. All but the first five are shifted at random
/// by up to `shift_share` / 2 of the crop per axis, drawn row first from `random`.
std::vector<Augmentation> first_frame_augmentations(int crop_size, double shift_share,
                                                    RandomSource& random);

/// Applies a transform to `patch` [1,C,S,S] (any numbers; blur sees zeros outside the patch, the
/// others its repeated border) and cuts the centre out: writes [1,C,s,s] to `crop`, s <= S. Host
/// memory. Throws ShapeError.
void augment(const Tensor<float>& patch, const Augmentation& augmentation, Tensor<float>& crop);

}  // namespace atomtrack
