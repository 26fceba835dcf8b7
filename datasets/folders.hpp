// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "atomtrack/datasets/annotations.hpp"
#include "atomtrack/datasets/dataset.hpp"

namespace atomtrack::datasets {

/// The names of the folders in `folder`, sorted; links to folders count. Throws InputError if it
/// cannot be read.
std::vector<std::string> subfolders(const std::string& folder);

/// The names of the files in `folder` that end so, sorted. Throws InputError if it cannot be read.
std::vector<std::string> files_ending(const std::string& folder, const std::string& ending);

bool is_file(const std::string& path);
bool is_folder(const std::string& path);

/// A sequence of frames with the boxes of a file. Frames without a box, and boxes without a frame,
/// are left out; bad lines are counted in `dataset`. Every frame with a box of positive size counts
/// as visible. Throws InputError.
Sequence sequence_of(const std::string& name, FrameFiles frames, const std::string& box_file,
                     double origin, Dataset& dataset);

/// Adds `read(name)` for each name; what throws InputError is skipped and counted.
template <class Read>
void add_sequences(Dataset& dataset, const std::vector<std::string>& names, Read read) {
  for (const std::string& name : names) {
    try {
      Sequence sequence = read(name);
      if (sequence.usable().empty()) {
        dataset.skip(dataset.name + ": sequence " + name + " shows its target in no frame");
      } else {
        dataset.sequences.push_back(std::move(sequence));
      }
    } catch (const InputError& error) {
      dataset.skip(error.what());
    }
  }
}

/// Throws InputError naming the first thing skipped if nothing could be used.
void require_contents(const Dataset& dataset, const std::string& root, const char* expected);

}  // namespace atomtrack::datasets
