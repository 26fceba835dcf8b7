// SPDX-License-Identifier: MIT
#pragma once

#include <opencv2/videoio.hpp>
#include <string>

namespace atomtrack::tools {

/// Writes `text` to `path` so that a file of that name is complete or not there: to a neighbour
/// first, which is then renamed. Throws InputError (unwritable, disk full). A device such as
/// /dev/stdout is written directly.
void write_text_file(const std::string& path, const std::string& text);

/// The bytes of a file. Throws InputError if it cannot be read.
std::string read_text_file(const std::string& path);

/// Throws InputError unless a file can be created at `path`: said before an hour of tracking, not
/// after.
void check_writable(const std::string& path);

/// Writes an image file, likewise complete or not there; the format follows the extension.
void write_image(const std::string& path, const cv::Mat& image);

/// An MP4 file that appears under its name when it is finished.
class VideoOutput {
 public:
  VideoOutput(std::string path, double frames_per_second)
      : path_(std::move(path)), rate_(frames_per_second) {}
  ~VideoOutput();
  VideoOutput(const VideoOutput&) = delete;
  VideoOutput& operator=(const VideoOutput&) = delete;

  /// Frames of another size than the first are scaled to it. Throws InputError.
  void write(const cv::Mat& frame);
  void finish();

 private:
  std::string partial() const { return path_ + ".partial.mp4"; }

  std::string path_;
  double rate_;
  cv::VideoWriter writer_;
  cv::Size size_;
};

}  // namespace atomtrack::tools
