// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "atomtrack/image/image_view.hpp"

/// The supervised (reset-based) protocol of the VOT challenges up to VOT2019 and its measures:
/// Kristan et al., TPAMI 2016 (protocol, accuracy, robustness) and the VOT2015 to VOT2018 reports
/// (expected average overlap). docs/evaluation_vot.md has the formulas. Nothing here keeps state:
/// all functions may be called from several threads.
namespace atomtrack::vot {

struct Point {
  double x = 0.0, y = 0.0;  ///< pixels
};
/// Corners in order, either way round; the last is joined to the first.
using Polygon = std::vector<Point>;
using Region = std::variant<Box, Polygon>;

/// Four numbers x,y,width,height, or the coordinates of three or more corners; nothing for any
/// other text and for numbers that are not finite.
std::optional<Region> parse_region(const std::string& text);
/// The same text, with four decimals.
std::string to_text(const Region& region);

struct ImageSize {
  int width = 0, height = 0;  ///< pixels
};

enum class OverlapRule {
  exact,   ///< areas of the regions as plane figures, by clipping
  pixels,  ///< pixels counted after rounding, as the VOT toolkit does
};

/// Intersection over union of what lies inside the image, in [0, 1]; 1 when neither region has
/// anything there (the toolkit's definition).
///
/// `exact` cuts the plane figures with the rectangle from 0 to the image's width and height;
/// polygons may be concave but must not cross themselves. `pixels` rounds a box's numbers and a
/// polygon's corners (halves to even), takes the corners for pixels - a box's last ones are
/// x + width - 1 and y + height - 1 - and counts in each row the pixels on and between the
/// outermost edges, crossings truncated: right for convex polygons, as VOT's rotated boxes are.
/// Throws InputError for an image without pixels.
double region_overlap(const Region& a, const Region& b, ImageSize image, OverlapRule rule);

/// What a run has for a frame.
struct FrameResult {
  enum class Kind { skipped = 0, initialized = 1, failed = 2, tracked = 3 };
  Kind kind = Kind::skipped;
  Region region;  ///< where `tracked`
};
using Trajectory = std::vector<FrameResult>;

/// VOT's result files: a line per frame, 1 initialised, 2 failed, 0 skipped, else the region.
/// Reading throws InputError, naming the line, for anything else.
Trajectory parse_trajectory(const std::string& text, const std::string& name);
std::string to_text(const Trajectory& trajectory);
/// An annotation per line. Throws InputError, naming the line.
std::vector<Region> parse_annotations(const std::string& text, const std::string& name);

/// A tracker as the protocol sees it; `frame` counts from 0.
struct TrackerCallbacks {
  std::function<void(int frame, const Region& annotation)> initialize;
  std::function<Region(int frame)> update;
};

struct ProtocolOptions {
  int skipped_frames = 5;  ///< from a failure to the next initialisation
  OverlapRule overlap = OverlapRule::pixels;
};

/// Runs a tracker over a sequence: initialised with the first annotation; failed where its region
/// shares nothing with the annotation, and then initialised again `skipped_frames` frames later.
/// Frames between are skipped, unseen by the tracker. Throws InputError for no annotations or an
/// image without pixels, and whatever the callbacks throw.
Trajectory run_supervised(const TrackerCallbacks& tracker, std::span<const Region> annotations,
                          ImageSize image, const ProtocolOptions& options = {});

/// A sequence with the stored runs of one tracker.
struct SequenceRuns {
  std::vector<Region> annotations;
  ImageSize image;
  std::vector<Trajectory> repetitions;
};

struct MeasureOptions {
  int burn_in = 10;           ///< frames from an initialisation on that accuracy leaves out
  int low = 100, high = 356;  ///< the interval of the expected average overlap: VOT2018's
  double sensitivity = 30;    ///< S of the reliability
  OverlapRule overlap = OverlapRule::pixels;
};

struct VotMeasures {
  /// Mean overlap while tracking, in [0, 1]: over a run's frames, over runs, then over sequences
  /// weighted by length. A run of which burn-in leaves nothing has 0, as in the toolkit.
  double accuracy = 0.0;
  double failures = 0.0;          ///< of a sequence, mean weighted by length
  double failures_per_100 = 0.0;  ///< in 100 frames, all sequences together
  double reliability = 0.0;       ///< exp(-S M), M failures per frame: the x-axis of AR plots
  double expected_average_overlap = 0.0;  ///< mean of the curve over the interval
  /// Expected overlap over the first n frames after an initialisation, n = 0, 1, ...; 0 at 0.
  std::vector<double> expected_overlap;
};

/// VOT's measures from stored runs. Where sequences are shorter than the interval, it ends with the
/// longest; the expected average overlap is 0 when none reaches its start. Throws InputError for no
/// sequences, a sequence without runs, runs of another length than its annotations, and an interval
/// that is empty or starts below 1.
VotMeasures measure(std::span<const SequenceRuns> sequences, const MeasureOptions& options = {});

}  // namespace atomtrack::vot
