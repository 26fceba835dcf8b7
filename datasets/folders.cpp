// SPDX-License-Identifier: MIT
#include "datasets/folders.hpp"

#include <algorithm>
#include <filesystem>

namespace atomtrack::datasets {

namespace fs = std::filesystem;

std::vector<std::string> subfolders(const std::string& folder) {
  std::error_code error;
  std::vector<std::string> names;
  for (auto entry = fs::directory_iterator(folder, error);
       !error && entry != fs::directory_iterator(); entry.increment(error)) {
    std::error_code ignored;
    if (entry->is_directory(ignored)) names.push_back(entry->path().filename().string());
  }
  require<InputError>(!error, folder, ": cannot be read: ", error.message());
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> files_ending(const std::string& folder, const std::string& ending) {
  std::error_code error;
  std::vector<std::string> names;
  for (auto entry = fs::directory_iterator(folder, error);
       !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.ends_with(ending)) names.push_back(name);
  }
  require<InputError>(!error, folder, ": cannot be read: ", error.message());
  std::sort(names.begin(), names.end());
  return names;
}

bool is_file(const std::string& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

bool is_folder(const std::string& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

Sequence sequence_of(const std::string& name, FrameFiles frames, const std::string& box_file,
                     double origin, Dataset& dataset) {
  std::vector<int> bad_lines;
  const std::vector<Box> boxes = read_box_file(box_file, origin, &bad_lines);
  for (const int line : bad_lines)
    dataset.skip(concatenate(box_file, ": line ", line, ": expected four or eight numbers"));
  Sequence sequence;
  sequence.name = name;
  sequence.frames = std::move(frames);
  const std::size_t count = std::min(boxes.size(), sequence.frames.size());
  if (count < std::max(boxes.size(), sequence.frames.size())) {
    dataset.skip(concatenate(box_file, ": ", boxes.size(), " boxes for ", sequence.frames.size(),
                             " frames, the first ", count, " are used"));
  }
  for (std::size_t i = 0; i < count; ++i) {
    sequence.boxes.push_back(compact(boxes[i]));
    sequence.visible.push_back(boxes[i].width > 0 && boxes[i].height > 0 ? 1 : 0);
  }
  return sequence;
}

void require_contents(const Dataset& dataset, const std::string& root, const char* expected) {
  require<InputError>(!dataset.empty(), root, ": nothing to train on was found, expected ",
                      expected, dataset.first_skips.empty() ? "" : "; first problem: ",
                      dataset.first_skips.empty() ? "" : dataset.first_skips.front());
}

}  // namespace atomtrack::datasets
