// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "atomtrack/image/image_view.hpp"
#include "atomtrack/tensor/tensor.hpp"

namespace atomtrack {

/// The files of a video's frames, in order: either numbered (a few bytes however long the video) or
/// listed by name.
class FrameFiles {
 public:
  FrameFiles() = default;
  /// `count` files folder/<first>.ext, <first + 1>.ext, ..., filled with zeros to `digits`.
  static FrameFiles numbered(std::string folder, std::int64_t first, int digits,
                             std::string extension, std::size_t count);
  /// The files of these names.
  static FrameFiles listed(std::string folder, std::vector<std::string> names);
  /// All images (.jpg, .jpeg, .png, .bmp) of a folder, in the order of their names; runs of numbers
  /// are kept as such. Throws InputError if the folder cannot be read or holds none.
  static FrameFiles in_folder(const std::string& folder);

  std::size_t size() const { return count_; }
  /// All but the first `skipped`, and the first `count` of them (all if there are fewer).
  FrameFiles from(std::size_t skipped) const;
  FrameFiles first(std::size_t count) const;
  std::string path(std::size_t index) const;

 private:
  std::string folder_;
  std::string extension_;
  std::int64_t first_ = 0;
  int digits_ = 0;
  std::size_t count_ = 0;
  std::vector<std::string> names_;  // empty when numbered
};

/// x, y (0-based, pixels), width, height; NaN where nothing is annotated.
using CompactBox = std::array<float, 4>;
Box box_of(const CompactBox& compact);
CompactBox compact(const Box& box);

/// One object through a video.
struct Sequence {
  std::string name;
  FrameFiles frames;
  std::vector<CompactBox> boxes;  ///< one per frame
  std::vector<std::uint8_t>
      visible;  ///< 1 where the object can be seen (by the dataset's own rule)

  /// Frames in which the object can be seen and has a box of positive size.
  std::vector<std::int32_t> usable() const;
};

/// An image with the boxes of the objects in it.
struct StillImage {
  std::string path;
  std::vector<CompactBox> boxes;
};

/// What was read of a dataset. Reading takes the annotations only; images stay where they are and
/// nothing is written.
struct Dataset {
  std::string name;
  std::vector<Sequence> sequences;
  std::vector<StillImage> stills;

  std::size_t skipped = 0;  ///< annotations, images or sequences that could not be used
  std::vector<std::string> first_skips;  ///< why, for the first of them, naming the file

  void skip(const std::string& why);
  bool empty() const { return sequences.empty() && stills.empty(); }
  /// Takes the contents of another and adds up what was skipped.
  void append(Dataset other);
};

/// Reads an image file as RGB [height,width,3]. Throws InputError naming the file. The library
/// decodes no images itself; the command passes OpenCV's reader.
using ImageReader = std::function<Tensor<std::uint8_t>(const std::string& path)>;

}  // namespace atomtrack
