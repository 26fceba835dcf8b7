// SPDX-License-Identifier: MIT
#include "tools/output.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "atomtrack/tensor/error.hpp"

namespace atomtrack::tools {
namespace {

namespace fs = std::filesystem;

bool is_special(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  return fs::exists(status) && !fs::is_regular_file(status);
}

void write_directly(const std::string& path, const std::string& text, const std::string& name) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  require<InputError>(file.good(), name, ": cannot be created");
  file << text;
  file.close();
  require<InputError>(file.good(), name, ": cannot be written completely (is the disk full?)");
}

void put_in_place(const std::string& partial, const std::string& path) {
  std::error_code error;
  fs::rename(partial, path, error);
  require<InputError>(!error, path, ": cannot be put in place: ", error.message());
}

}  // namespace

void write_text_file(const std::string& path, const std::string& text) {
  if (is_special(path)) return write_directly(path, text, path);
  const std::string partial = path + ".partial";
  try {
    write_directly(partial, text, path);
    put_in_place(partial, path);
  } catch (...) {
    std::remove(partial.c_str());
    throw;
  }
}

std::string read_text_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  require<InputError>(file.good() && !fs::is_directory(path), path, ": cannot be read");
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void check_writable(const std::string& path) {
  require<InputError>(!fs::is_directory(path), path, ": is a folder, expected a file to write");
  if (is_special(path)) return;
  const std::string probe = path + ".partial";
  const bool created = std::ofstream(probe, std::ios::app).good();
  std::remove(probe.c_str());
  require<InputError>(created, path, ": cannot be created");
}

void write_image(const std::string& path, const cv::Mat& image) {
  std::vector<unsigned char> encoded;
  const std::string extension = fs::path(path).extension().string();
  bool done = false;
  try {
    done = cv::imencode(extension, image, encoded);
  } catch (const cv::Exception&) {
    done = false;
  }
  require<InputError>(done, path, ": no image format for the extension '", extension,
                      "' (try .png)");
  write_text_file(path, std::string(encoded.begin(), encoded.end()));
}

void VideoOutput::write(const cv::Mat& frame) {
  if (!writer_.isOpened()) {
    // Codecs want even sides.
    size_ = {std::max(2, frame.cols / 2 * 2), std::max(2, frame.rows / 2 * 2)};
    require<InputError>(
        writer_.open(partial(), cv::VideoWriter::fourcc('m', 'p', '4', 'v'), rate_, size_), path_,
        ": cannot be created as a video");
  }
  cv::Mat fitted = frame;
  if (frame.size() != size_) cv::resize(frame, fitted, size_, 0, 0, cv::INTER_AREA);
  writer_.write(fitted);
}

void VideoOutput::finish() {
  if (!writer_.isOpened()) return;
  writer_.release();
  cv::VideoCapture probe(partial());
  require<InputError>(probe.isOpened() && probe.grab(), path_,
                      ": the video cannot be written completely (is the disk full?)");
  put_in_place(partial(), path_);
}

VideoOutput::~VideoOutput() {
  writer_.release();
  std::remove(partial().c_str());
}

}  // namespace atomtrack::tools
