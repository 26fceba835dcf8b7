// SPDX-License-Identifier: MIT
#pragma once

#include "atomtrack/training/pair_source.hpp"
#include "atomtrack/weights/weights_file.hpp"

namespace atomtrack::test {

/// Where the target is in synthetic frame i: it drifts.
Box synthetic_box(int i);
/// The colour of the target, which nothing else has.
constexpr int target_red = 250;

/// A video of 30 frames and a still image with two objects, without files: `synthetic_reader` makes
/// the pixels. Paths that contain "broken" cannot be read.
Dataset synthetic_videos(const std::string& name = "video");
Dataset synthetic_stills();
ImageReader synthetic_reader();

/// A backbone with random filters, batch norm doing nothing.
WeightsFile synthetic_backbone();

/// Small crops and few proposals, so that a step takes a fraction of a second.
SamplingOptions small_sampling();
AugmentationOptions small_augmentation();

/// Pairs of the videos and the still image, so sampled.
std::shared_ptr<const PairSource> synthetic_pairs(int targets = 1);

}  // namespace atomtrack::test
