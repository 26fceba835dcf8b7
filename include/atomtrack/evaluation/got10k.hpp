// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <vector>

#include "atomtrack/image/image_view.hpp"

namespace atomtrack {

/// GOT-10k's measures (Huang, Zhao and Huang, TPAMI 2021), in [0, 1].
struct Got10kScores {
  double average_overlap = 0.0;  ///< AO: mean overlap
  double success50 = 0.0;        ///< SR 0.5: share of frames with overlap > 0.5
  double success75 = 0.0;        ///< SR 0.75
  int frames = 0;                ///< that were counted
};

/// One sequence by the rule of GOT-10k's own toolkit: the first frame, where the box was given, is
/// left out, and so are frames where nothing of the target is visible; both boxes are first cut to
/// the image. `visible` is the dataset's cover label per frame (0: nothing visible), or empty when
/// all count. The cut moves a corner that lies left of or above the image onto its edge and keeps
/// the width, as the toolkit does. A sequence of which no frame counts has zeros. Throws InputError
/// unless there is one finite prediction per annotation and at least one, and for an image without
/// pixels.
Got10kScores got10k_sequence(std::span<const Box> predicted, std::span<const Box> annotated,
                             std::span<const double> visible, int image_width, int image_height);

/// All sequences: the mean over frames, as the toolkit reports AO and SR ("overall").
Got10kScores got10k_over_frames(std::span<const Got10kScores> sequences);
/// All sequences: the mean over those that have frames, each counting the same.
Got10kScores got10k_over_sequences(std::span<const Got10kScores> sequences);

}  // namespace atomtrack
