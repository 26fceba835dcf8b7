// SPDX-License-Identifier: MIT
#include "atomtrack/datasets/dataset.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <limits>

namespace atomtrack {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kept_skips = 20;

bool is_image(const fs::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension == ".jpg" || extension == ".jpeg" || extension == ".png" || extension == ".bmp";
}

std::string numbered_name(std::int64_t number, int digits) {
  std::string text = std::to_string(number);
  if (static_cast<int>(text.size()) < digits)
    text.insert(0, static_cast<std::size_t>(digits) - text.size(), '0');
  return text;
}

}  // namespace

FrameFiles FrameFiles::numbered(std::string folder, std::int64_t first, int digits,
                                std::string extension, std::size_t count) {
  FrameFiles files;
  files.folder_ = std::move(folder);
  files.first_ = first;
  files.digits_ = digits;
  files.extension_ = std::move(extension);
  files.count_ = count;
  return files;
}

FrameFiles FrameFiles::listed(std::string folder, std::vector<std::string> names) {
  FrameFiles files;
  files.folder_ = std::move(folder);
  files.names_ = std::move(names);
  files.count_ = files.names_.size();
  return files;
}

FrameFiles FrameFiles::in_folder(const std::string& folder) {
  std::error_code error;
  std::vector<std::string> names;
  for (auto entry = fs::directory_iterator(folder, error);
       !error && entry != fs::directory_iterator(); entry.increment(error)) {
    if (is_image(entry->path())) names.push_back(entry->path().filename().string());
  }
  require<InputError>(!error, folder, ": cannot be read: ", error.message());
  require<InputError>(!names.empty(), folder, ": holds no images");
  std::sort(names.begin(), names.end());
  const fs::path start(names.front());
  const std::string stem = start.stem().string();
  const bool number = stem.size() <= 18 && std::all_of(stem.begin(), stem.end(), [](char c) {
                        return std::isdigit(static_cast<unsigned char>(c)) != 0;
                      });
  if (number && names.size() > 1) {
    const auto digits = static_cast<int>(stem.size());
    FrameFiles files =
        numbered(folder, std::stoll(stem), digits, start.extension().string(), names.size());
    bool consecutive = true;
    for (std::size_t i = 0; i < names.size() && consecutive; ++i)
      consecutive = names[i] == numbered_name(files.first_ + static_cast<std::int64_t>(i), digits) +
                                    files.extension_;
    if (consecutive) return files;
  }
  return listed(folder, std::move(names));
}

FrameFiles FrameFiles::from(std::size_t skipped) const {
  FrameFiles rest = *this;
  const std::size_t gone = std::min(skipped, count_);
  rest.count_ -= gone;
  rest.first_ += static_cast<std::int64_t>(gone);
  if (!names_.empty())
    rest.names_.erase(rest.names_.begin(), rest.names_.begin() + static_cast<std::ptrdiff_t>(gone));
  return rest;
}

FrameFiles FrameFiles::first(std::size_t count) const {
  FrameFiles start = *this;
  start.count_ = std::min(count, count_);
  if (!names_.empty()) start.names_.resize(start.count_);
  return start;
}

std::string FrameFiles::path(std::size_t index) const {
  require<InputError>(index < count_, "frame ", index, " of the ", count_, " in ", folder_);
  if (!names_.empty()) return folder_ + "/" + names_[index];
  return folder_ + "/" + numbered_name(first_ + static_cast<std::int64_t>(index), digits_) +
         extension_;
}

Box box_of(const CompactBox& c) {
  return {c[0], c[1], c[2], c[3]};
}

CompactBox compact(const Box& box) {
  return {static_cast<float>(box.x), static_cast<float>(box.y), static_cast<float>(box.width),
          static_cast<float>(box.height)};
}

std::vector<std::int32_t> Sequence::usable() const {
  std::vector<std::int32_t> frames_of_use;
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    const CompactBox& box = boxes[i];
    const bool finite = std::isfinite(box[0]) && std::isfinite(box[1]);
    if (visible[i] != 0 && finite && box[2] > 0.0F && box[3] > 0.0F)
      frames_of_use.push_back(static_cast<std::int32_t>(i));
  }
  return frames_of_use;
}

void Dataset::skip(const std::string& why) {
  ++skipped;
  if (first_skips.size() < kept_skips) first_skips.push_back(why);
}

void Dataset::append(Dataset other) {
  std::move(other.sequences.begin(), other.sequences.end(), std::back_inserter(sequences));
  std::move(other.stills.begin(), other.stills.end(), std::back_inserter(stills));
  skipped += other.skipped;
  for (std::string& why : other.first_skips) {
    if (first_skips.size() < kept_skips) first_skips.push_back(std::move(why));
  }
}

}  // namespace atomtrack
