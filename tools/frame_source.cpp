// SPDX-License-Identifier: MIT
#include "tools/frame_source.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/videoio.hpp>
#include <set>
#include <vector>

#include "atomtrack/tensor/error.hpp"

namespace atomtrack::tools {
namespace {

namespace fs = std::filesystem;

/// While one lives, nothing reaches stderr: the image and video libraries below OpenCV print there,
/// and what matters is said in our words.
class QuietStderr {
 public:
  QuietStderr() : saved_(dup(STDERR_FILENO)) {
    const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere < 0) return;
    dup2(nowhere, STDERR_FILENO);
    close(nowhere);
  }
  ~QuietStderr() {
    if (saved_ < 0) return;
    dup2(saved_, STDERR_FILENO);
    close(saved_);
  }
  QuietStderr(const QuietStderr&) = delete;
  QuietStderr& operator=(const QuietStderr&) = delete;

 private:
  int saved_;
};

class ImageFiles final : public FrameSource {
 public:
  explicit ImageFiles(std::vector<fs::path> files) : files_(std::move(files)) {}

  bool read(cv::Mat& frame) override {
    if (next_ == files_.size()) return false;
    const fs::path& file = files_[next_++];
    {
      const QuietStderr quiet;
      frame = cv::imread(file.string(), cv::IMREAD_UNCHANGED);
    }
    require<InputError>(!frame.empty(), file.string(), ": cannot be read as an image");
    return true;
  }
  long count() const override { return static_cast<long>(files_.size()); }

 private:
  std::vector<fs::path> files_;
  std::size_t next_ = 0;
};

class Video final : public FrameSource {
 public:
  Video(cv::VideoCapture capture, std::string name)
      : capture_(std::move(capture)), name_(std::move(name)) {
    // The first frame is read here, so that a file that only looks like a video is refused when it
    // is opened.
    require<InputError>(capture_.read(first_) && !first_.empty(), name_,
                        ": no frame can be read from it");
  }

  bool read(cv::Mat& frame) override {
    if (!first_.empty()) {
      frame = std::exchange(first_, cv::Mat());
      return true;
    }
    const QuietStderr quiet;
    return capture_.read(frame) && !frame.empty();
  }
  long count() const override {
    return std::max(0L, static_cast<long>(capture_.get(cv::CAP_PROP_FRAME_COUNT)));
  }

 private:
  mutable cv::VideoCapture capture_;
  std::string name_;
  cv::Mat first_;
};

bool is_image(const fs::path& file) {
  static const std::set<std::string> extensions{".bmp", ".jpeg", ".jpg",  ".pgm", ".png",
                                                ".ppm", ".tif",  ".tiff", ".webp"};
  std::string extension = file.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return extensions.count(extension) != 0;
}

/// Digits compare as numbers: frame9 comes before frame10.
bool natural_less(const fs::path& left, const fs::path& right) {
  const std::string a = left.filename().string(), b = right.filename().string();
  std::size_t i = 0, j = 0;
  const auto digit = [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; };
  const auto number_end = [&](const std::string& text, std::size_t at) {
    while (at < text.size() && digit(text[at])) ++at;
    return at;
  };
  while (i < a.size() && j < b.size()) {
    if (digit(a[i]) && digit(b[j])) {
      while (i < a.size() && a[i] == '0') ++i;
      while (j < b.size() && b[j] == '0') ++j;
      const std::size_t end_a = number_end(a, i), end_b = number_end(b, j);
      if (end_a - i != end_b - j) return end_a - i < end_b - j;
      const int order = a.compare(i, end_a - i, b, j, end_b - j);
      if (order != 0) return order < 0;
      i = end_a;
      j = end_b;
    } else if (a[i] != b[j]) {
      return a[i] < b[j];
    } else {
      ++i;
      ++j;
    }
  }
  return a.size() - i < b.size() - j || (a.size() - i == b.size() - j && a < b);
}

std::unique_ptr<FrameSource> open_folder(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_regular_file() && is_image(entry.path())) files.push_back(entry.path());
  }
  require<InputError>(!files.empty(), folder.string(),
                      ": a folder without images (jpg, png, bmp, ppm, pgm, tif, webp)");
  std::sort(files.begin(), files.end(), natural_less);
  return std::make_unique<ImageFiles>(std::move(files));
}

/// Expands the pattern's one integer conversion (%d, %04d) by hand: the text comes from the user
/// and is never given to printf.
std::unique_ptr<FrameSource> open_pattern(const std::string& pattern, std::size_t percent) {
  std::size_t at = percent + 1;
  const bool zeros = at < pattern.size() && pattern[at] == '0';
  std::size_t width = 0;
  while (at < pattern.size() && std::isdigit(static_cast<unsigned char>(pattern[at])) != 0 &&
         width < 20) {
    width = 10 * width + static_cast<std::size_t>(pattern[at++] - '0');
  }
  require<InputError>(at < pattern.size() && pattern[at] == 'd' && width < 20 &&
                          pattern.find('%', at) == std::string::npos,
                      pattern, ": expected one conversion such as %d or %04d");
  const auto file = [&](long number) {
    std::string digits = std::to_string(number);
    if (digits.size() < width) digits.insert(0, width - digits.size(), zeros ? '0' : ' ');
    return fs::path(pattern.substr(0, percent) + digits + pattern.substr(at + 1));
  };
  std::vector<fs::path> files;
  for (const long start : {0L, 1L}) {
    for (long number = start; fs::exists(file(number)); ++number) files.push_back(file(number));
    if (!files.empty()) break;
  }
  require<InputError>(!files.empty(), pattern, ": neither frame 0 nor frame 1 exists");
  return std::make_unique<ImageFiles>(std::move(files));
}

}  // namespace

std::unique_ptr<FrameSource> open_source(const std::string& source) {
  require<InputError>(
      !source.empty(),
      "no source: expected a video file, a folder of images, a pattern, or a camera number");
  if (fs::is_directory(source)) return open_folder(source);
  if (!fs::exists(source)) {
    const bool number =
        source.size() < 4 && std::all_of(source.begin(), source.end(),
                                         [](unsigned char c) { return std::isdigit(c) != 0; });
    if (number) {
      cv::VideoCapture camera(std::stoi(source));
      require<InputError>(camera.isOpened(), "camera ", source, " cannot be opened");
      return std::make_unique<Video>(std::move(camera), "camera " + source);
    }
    const std::size_t percent = source.find('%');
    if (percent != std::string::npos) return open_pattern(source, percent);
    throw InputError(source +
                     ": no such file or folder (expected a video file, a folder of images, a "
                     "pattern such as frames/%04d.png, or a camera number)");
  }
  if (is_image(source)) return std::make_unique<ImageFiles>(std::vector<fs::path>{source});
  cv::VideoCapture capture;
  {
    const QuietStderr quiet;
    capture.open(source);
  }
  require<InputError>(capture.isOpened(), source, ": cannot be opened as a video");
  return std::make_unique<Video>(std::move(capture), source);
}

}  // namespace atomtrack::tools
