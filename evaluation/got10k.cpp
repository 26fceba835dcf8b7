// SPDX-License-Identifier: MIT
#include "atomtrack/evaluation/got10k.hpp"

#include <algorithm>
#include <cmath>

#include "atomtrack/evaluation/metrics.hpp"
#include "atomtrack/tensor/error.hpp"

namespace atomtrack {
namespace {

Box cut(const Box& box, double width, double height) {
  const double x = std::clamp(box.x, 0.0, width), y = std::clamp(box.y, 0.0, height);
  return {x, y, std::clamp(box.width, 0.0, width - x), std::clamp(box.height, 0.0, height - y)};
}

bool is_finite(const Box& box) {
  return std::isfinite(box.x) && std::isfinite(box.y) && std::isfinite(box.width) &&
         std::isfinite(box.height);
}

template <class Weight>
Got10kScores mean(std::span<const Got10kScores> sequences, Weight weight) {
  Got10kScores all;
  double total = 0.0;
  for (const Got10kScores& one : sequences) {
    const double w = weight(one);
    all.average_overlap += w * one.average_overlap;
    all.success50 += w * one.success50;
    all.success75 += w * one.success75;
    all.frames += one.frames;
    total += w;
  }
  if (total <= 0.0) return all;
  all.average_overlap /= total;
  all.success50 /= total;
  all.success75 /= total;
  return all;
}

}  // namespace

Got10kScores got10k_sequence(std::span<const Box> predicted, std::span<const Box> annotated,
                             std::span<const double> visible, int image_width, int image_height) {
  require<InputError>(!predicted.empty() && predicted.size() == annotated.size(),
                      "GOT-10k: ", predicted.size(), " predicted boxes for ", annotated.size(),
                      " annotated ones: expected one each");
  require<InputError>(visible.empty() || visible.size() == annotated.size(),
                      "GOT-10k: ", visible.size(), " cover labels for ", annotated.size(),
                      " frames");
  require<InputError>(image_width > 0 && image_height > 0, "GOT-10k: an image of ", image_width,
                      "x", image_height, " pixels");
  Got10kScores scores;
  for (std::size_t i = 1; i < predicted.size(); ++i) {
    if (!visible.empty() && !(visible[i] > 0)) continue;
    require<InputError>(is_finite(predicted[i]) && is_finite(annotated[i]), "GOT-10k: frame ",
                        i + 1, " has a box that is not finite");
    const double value = rectangle_overlap(cut(predicted[i], image_width, image_height),
                                           cut(annotated[i], image_width, image_height));
    scores.average_overlap += value;
    scores.success50 += value > 0.5 ? 1 : 0;
    scores.success75 += value > 0.75 ? 1 : 0;
    ++scores.frames;
  }
  if (scores.frames > 0) {
    scores.average_overlap /= scores.frames;
    scores.success50 /= scores.frames;
    scores.success75 /= scores.frames;
  }
  return scores;
}

Got10kScores got10k_over_frames(std::span<const Got10kScores> sequences) {
  return mean(sequences, [](const Got10kScores& one) { return one.frames; });
}

Got10kScores got10k_over_sequences(std::span<const Got10kScores> sequences) {
  return mean(sequences, [](const Got10kScores& one) { return one.frames > 0 ? 1 : 0; });
}

}  // namespace atomtrack
