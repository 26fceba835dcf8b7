// SPDX-License-Identifier: MIT
#include "tools/opencv_trackers.hpp"

#ifdef ATOMTRACK_WITH_OPENCV_TRACKERS

#include <cmath>
#include <limits>
#include <opencv2/tracking.hpp>
#include <opencv2/video/tracking.hpp>

#include "atomtrack/opencv.hpp"

namespace atomtrack::tools {
namespace {

/// OpenCV's take and give whole pixels and say only whether they believe in the box; where they do
/// not, the last one stands.
class OpenCvTracker final : public SequenceTracker {
 public:
  explicit OpenCvTracker(cv::Ptr<cv::Tracker> tracker) : tracker_(std::move(tracker)) {}

  TrackedBox init(const cv::Mat& frame, const Box& box) override {
    const auto whole = [](double v) { return static_cast<int>(std::lround(v)); };
    last_ = cv::Rect(whole(box.x), whole(box.y), std::max(1, whole(box.width)),
                     std::max(1, whole(box.height)));
    tracker_->init(frame, last_);
    return {box, std::numeric_limits<double>::quiet_NaN()};
  }
  TrackedBox update(const cv::Mat& frame) override {
    cv::Rect found = last_;
    if (tracker_->update(frame, found)) last_ = found;
    return {to_box(last_), std::numeric_limits<double>::quiet_NaN()};
  }

 private:
  cv::Ptr<cv::Tracker> tracker_;
  cv::Rect last_;
};

template <class Peer>
TrackerEntry peer(const std::string& name) {
  return {name, false, [](std::uint64_t) -> std::unique_ptr<SequenceTracker> {
            return std::make_unique<OpenCvTracker>(Peer::create());
          }};
}

}  // namespace

TrackerEntry opencv_tracker_entry(const std::string& name) {
  if (name == "csrt") return peer<cv::TrackerCSRT>(name);
  if (name == "kcf") return peer<cv::TrackerKCF>(name);
  if (name == "mil") return peer<cv::TrackerMIL>(name);
  throw InputError(concatenate("tracker '", name, "': expected csrt, kcf or mil"));
}

}  // namespace atomtrack::tools

#else

#include "atomtrack/tensor/error.hpp"

namespace atomtrack::tools {

TrackerEntry opencv_tracker_entry(const std::string& name) {
  throw InputError(concatenate("tracker '", name,
                               "': this build's OpenCV has no module 'tracking' (on Debian and "
                               "Ubuntu install libopencv-contrib-dev)"));
}

}  // namespace atomtrack::tools

#endif
