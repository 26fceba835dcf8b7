// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <opencv2/core.hpp>
#include <string>

namespace atomtrack::tools {

/// Frames one after another.
class FrameSource {
 public:
  virtual ~FrameSource() = default;
  /// The next frame, as stored (any depth and number of channels); false at the end. Throws
  /// InputError naming a frame that cannot be read.
  virtual bool read(cv::Mat& frame) = 0;
  /// How many frames there are in all, or 0 if that cannot be told.
  virtual long count() const = 0;
};

/// Opens a video file, a folder of images (in natural order of their names), a printf pattern such
/// as frames/%04d.png, or a camera by its number. Throws InputError saying what was expected.
std::unique_ptr<FrameSource> open_source(const std::string& source);

}  // namespace atomtrack::tools
