// SPDX-License-Identifier: MIT
#include "tools/evaluation_pictures.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <set>

namespace atomtrack::tools {
namespace {

constexpr int frames_each = 4;  // of a sequence, side by side
constexpr int frame_width = 320;
constexpr std::size_t most_trackers = 4;

struct Ink {
  cv::Scalar bgr;
  const char* name;
};
// Okabe and Ito's palette, which the colour-blind can tell apart.
constexpr std::size_t inks = 4;
const std::array<Ink, inks>& palette() {
  static const std::array<Ink, inks> colours{{{{0, 94, 213}, "vermilion"},
                                              {{233, 180, 86}, "sky blue"},
                                              {{115, 158, 0}, "green"},
                                              {{66, 228, 240}, "yellow"}}};
  return colours;
}

struct Drawn {
  std::string tracker;
  std::vector<Box> boxes;
};

void draw(cv::Mat& frame, const Box& box, double scale, const cv::Scalar& colour, int thickness) {
  if (!(box.width > 0 && box.height > 0)) return;
  const auto pixel = [&](double v) {
    return static_cast<int>(std::lround(std::clamp(v * scale, -1e5, 1e5)));
  };
  cv::rectangle(frame, {pixel(box.x), pixel(box.y)},
                {pixel(box.x + box.width), pixel(box.y + box.height)}, colour, thickness,
                cv::LINE_AA);
}

std::string jpeg_of(const cv::Mat& image) {
  std::vector<unsigned char> bytes;
  cv::imencode(".jpg", image, bytes, {cv::IMWRITE_JPEG_QUALITY, 82});
  return {bytes.begin(), bytes.end()};
}

/// Evenly spread frames with all boxes, in a row; empty if none could be read.
cv::Mat strip_of(const BenchmarkSequence& sequence, const std::vector<Drawn>& drawn) {
  cv::Mat strip;
  for (int i = 1; i <= frames_each; ++i) {
    const std::size_t n = (sequence.frames.size() - 1) * static_cast<std::size_t>(i) / frames_each;
    const cv::Mat frame = cv::imread(sequence.frames.path(n), cv::IMREAD_COLOR);
    if (frame.empty()) continue;
    const double scale = static_cast<double>(frame_width) / frame.cols;
    const int height =
        strip.empty() ? static_cast<int>(std::lround(frame.rows * scale)) : strip.rows;
    cv::Mat small;
    cv::resize(frame, small, {frame_width, height}, 0, 0, cv::INTER_AREA);
    if (n < sequence.boxes.size()) draw(small, sequence.boxes[n], scale, {255, 255, 255}, 3);
    for (std::size_t t = drawn.size(); t-- > 0;) {
      if (n < drawn[t].boxes.size()) draw(small, drawn[t].boxes[n], scale, palette()[t].bgr, 2);
    }
    if (strip.empty()) {
      strip = small;
    } else {
      cv::hconcat(strip, small, strip);
    }
  }
  return strip;
}

}  // namespace

std::vector<ReportPicture> draw_pictures(const EvaluationSummary& summary,
                                         const Benchmark& benchmark, const ResultStore& store,
                                         std::size_t most) {
  std::vector<const TrackerSummary*> shown;
  for (const TrackerSummary& tracker : summary.trackers) {
    if (shown.size() < most_trackers && !store.seeds(tracker.name).empty())
      shown.push_back(&tracker);
  }
  if (shown.empty()) return {};
  std::vector<std::pair<double, std::string>> order;
  for (const auto& [name, measures] : shown.front()->per_sequence)
    order.emplace_back(measures.mean.auc, name);
  std::sort(order.rbegin(), order.rend());
  std::vector<ReportPicture> pictures;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const bool best = i < most;
    if (!best && i + most < order.size()) continue;
    const auto& [auc, name] = order[i];
    const auto sequence =
        std::find_if(benchmark.sequences.begin(), benchmark.sequences.end(),
                     [&, wanted = &name](const auto& s) { return s.name == *wanted; });
    if (sequence == benchmark.sequences.end()) continue;
    std::vector<Drawn> drawn;
    std::string legend = "white: annotation";
    for (const TrackerSummary* tracker : shown) {
      const auto run = store.read(tracker->name, store.seeds(tracker->name).front(), name);
      if (!run) continue;
      legend += concatenate("; ", palette()[drawn.size()].name, ": ", tracker->name);
      drawn.push_back({tracker->name, {}});
      for (const TrackedBox& tracked : run->boxes) drawn.back().boxes.push_back(tracked.box);
    }
    const cv::Mat strip = strip_of(*sequence, drawn);
    if (strip.empty()) continue;
    char score[32];
    std::snprintf(score, sizeof(score), "AUC %.3f", auc);
    pictures.push_back({concatenate(name, ", ", best ? "among the best" : "among the worst", " of ",
                                    shown.front()->name, " (", score, "). ", legend),
                        name, jpeg_of(strip)});
  }
  return pictures;
}

}  // namespace atomtrack::tools
