// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <vector>

#include "atomtrack/image/image_view.hpp"

namespace atomtrack {

/// TrackingNet's measures of a sequence (Mueller et al., ECCV 2018), in [0, 1]: areas
/// under curves of 21 thresholds, by the trapezoidal rule, over the width of their interval. The
/// measures of a benchmark are means over its sequences.
struct TrackingNetScores {
  double success = 0.0;               ///< overlap > 0, 0.05, ..., 1
  double precision = 0.0;             ///< centre error <= 0, 2.5, ..., 50 pixels
  double normalized_precision = 0.0;  ///< normalised centre error <= 0, 0.025, ..., 0.5
};

/// Scores a sequence as TrackingNet's server does: boxes are rounded to whole pixels (halves to
/// even), and the first prediction is replaced by the annotation. Throws InputError unless there is
/// one finite prediction per annotation and at least one, and for an annotation that rounds to no
/// area.
TrackingNetScores trackingnet_sequence(std::span<const Box> predicted,
                                       std::span<const Box> annotated);

/// The area under a curve of equally spaced samples over the width of its interval: the
/// trapezoidal rule. With the 51 samples of SequenceScores::normalized_precision it is the area
/// from 0 to 0.5 on boxes as they are, where the scores above see rounded ones at 21. Throws
/// InputError for fewer than two samples.
double area_under_curve(std::span<const double> curve);

}  // namespace atomtrack
