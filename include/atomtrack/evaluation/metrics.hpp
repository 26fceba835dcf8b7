// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <vector>

#include "atomtrack/image/image_view.hpp"

namespace atomtrack {

// The measures of one-pass evaluation, as the released tracker's analysis computes them. Boxes are
// in pixels; overlap counts pixels inclusively: a box of width w covers columns x .. x + w - 1.

/// Intersection over union with inclusive pixels, in [0, 1].
double overlap(const Box& a, const Box& b);
/// Intersection over union of the plain rectangles, in [0, 1]: what the IoU predictor is trained
/// for (2 IoU - 1).
double rectangle_overlap(const Box& a, const Box& b);

/// The scores of one sequence. Curves give, per threshold, a share of all frames in [0, 1].
struct SequenceScores {
  std::vector<double> overlaps;       ///< per frame; -1 where the annotation is invalid
  std::vector<double> centre_errors;  ///< pixels; infinite where invalid
  std::vector<double>
      normalized_errors;  ///< centre error over the annotation's width and height; -1 where invalid
  std::vector<double> success;               ///< overlap > t for t = 0, 1/(n-1), ..., 1
  std::vector<double> precision;             ///< centre error <= 0, 1, ..., 50 pixels
  std::vector<double> normalized_precision;  ///< normalised error <= 0, 0.01, ..., 0.5

  double auc = 0.0;                     ///< mean of `success`
  double op50 = 0.0, op75 = 0.0;        ///< share of frames with overlap > 0.5 and > 0.75
  double precision20 = 0.0;             ///< `precision` at 20 pixels
  double normalized_precision20 = 0.0;  ///< `normalized_precision` at 0.20
  double mean_overlap = 0.0;            ///< over the frames with a valid annotation
  int frames = 0, valid_frames = 0;
};

/// Scores predicted boxes against annotations, frame by frame. The first prediction is replaced by
/// the annotation (it was given), missing predictions at the end count as zero boxes, and a
/// prediction without area repeats the one before. A frame whose annotation has a value <= 0 or
/// that is not finite is invalid. `success_thresholds` is 21 or 101. Throws InputError when there
/// are more predictions than annotations, none of either, or one that is not finite.
SequenceScores score_sequence(std::span<const Box> predicted, std::span<const Box> annotated,
                              int success_thresholds = 21);

/// The rectangle of equal area for a rotated box given by its four corners (x1,y1 .. x4,y4), as
/// VOT's annotations are read (throws InputError unless the corners span an area), and the
/// rectangle around the corners.
Box rectangle_of_equal_area(std::span<const double, 8> corners);
Box rectangle_around(std::span<const double, 8> corners);

}  // namespace atomtrack
