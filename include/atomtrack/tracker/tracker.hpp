// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "atomtrack/image/image_view.hpp"
#include "atomtrack/tracker/model.hpp"
#include "atomtrack/tracker/options.hpp"

namespace atomtrack {
inline namespace v1 {

/// What the tracker makes of a frame.
enum class State {
  tracked,
  uncertain,      ///< two peaks compete: the box was refined, nothing was learned from the frame
  hard_negative,  ///< a distractor was seen and learned from at once
  lost,  ///< the score is below the threshold: the box is the last one, nothing was learned
};

/// "tracked", "uncertain", "hard_negative" or "lost".
const char* to_string(State state);

/// Milliseconds spent in each stage of the last call.
struct StageTimes {
  double crop = 0.0;      ///< cutting the search region out of the frame and normalising it
  double features = 0.0;  ///< backbone and the IoU predictor's convolutions
  double classify = 0.0;  ///< score map and its peak
  double refine = 0.0;    ///< proposals and overlap maximisation
  double update = 0.0;    ///< sample memory and online learning
  double total = 0.0;
};

struct Result {
  Box box;             ///< pixels of the frame
  double score = 0.0;  ///< the classifier's peak: about 1 for the target as first seen
  State state = State::tracked;
  StageTimes milliseconds;
};

/// Follows one object. Not thread-safe; different trackers are independent and may run in parallel
/// threads on one Model. The same weights, options, frames and number of threads give the same
/// boxes, bit for bit, on one machine.
class Tracker {
 public:
  /// Throws InputError when the options are out of range or the model lacks what they need.
  explicit Tracker(Model model, const Options& options = Options::released());
  ~Tracker();
  Tracker(Tracker&&) noexcept;
  Tracker& operator=(Tracker&&) noexcept;

  /// Learns the target in `box` of `image` and forgets any earlier one. Throws InputError for an
  /// unusable image or for a box that is not finite, has no area, or lies wholly outside the image;
  /// the tracker is then as it was before.
  Result init(const ImageView& image, const Box& box);

  /// Finds the target in the next frame, which may have another size. Throws InputError before
  /// `init` and for an unusable image; the tracker is then as it was before.
  Result update(const ImageView& image);

  const Options& options() const;

  struct Implementation;

 private:
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace v1
}  // namespace atomtrack
