// SPDX-License-Identifier: MIT
#include <algorithm>
#include <filesystem>
#include <set>

#include "atomtrack/datasets/readers.hpp"
#include "datasets/folders.hpp"

namespace atomtrack {

using namespace datasets;

namespace {

/// Marks the frames for which `seen` of the flags at the same position is false as invisible.
template <class Seen>
void mark(Sequence& sequence, const std::string& flag_file, Seen seen) {
  const std::vector<double> flags = read_number_file(flag_file);
  require<InputError>(flags.size() >= sequence.visible.size(), flag_file, ": ", flags.size(),
                      " flags for ", sequence.visible.size(), " frames");
  for (std::size_t i = 0; i < sequence.visible.size(); ++i) {
    if (!seen(flags[i])) sequence.visible[i] = 0;
  }
}

std::string last_part(const std::string& folder) {
  return std::filesystem::path(folder).filename().string();
}

}  // namespace

Dataset read_otb_style(const std::string& root) {
  Dataset dataset;
  dataset.name = last_part(root);
  add_sequences(dataset, subfolders(root), [&](const std::string& name) {
    const std::string folder = root + "/" + name;
    const bool otb = is_file(folder + "/groundtruth_rect.txt");
    const std::string images = is_folder(folder + "/img") ? folder + "/img" : folder;
    return sequence_of(name, FrameFiles::in_folder(images),
                       folder + (otb ? "/groundtruth_rect.txt" : "/groundtruth.txt"), 1.0, dataset);
  });
  require_contents(dataset, root, "folders <name>/img with <name>/groundtruth_rect.txt");
  return dataset;
}

Dataset read_lasot(const std::string& root, const std::string& split_file) {
  Dataset dataset;
  dataset.name = "lasot";
  std::vector<std::string> names;
  if (!split_file.empty()) {
    names = read_lines(split_file);
  } else {
    for (const std::string& category : subfolders(root)) {
      for (const std::string& name : subfolders(root + "/" + category)) names.push_back(name);
    }
  }
  add_sequences(dataset, names, [&](const std::string& name) {
    const std::string category = name.substr(0, name.find_last_of('-'));
    const std::string folder = root + "/" + category + "/" + name;
    const std::string boxes = folder + "/groundtruth.txt";
    const std::size_t count = read_box_file(boxes, 0.0).size();
    Sequence sequence = sequence_of(
        name, FrameFiles::numbered(folder + "/img", 1, 8, ".jpg", count), boxes, 0.0, dataset);
    const auto unset = [](double flag) { return flag == 0.0; };
    mark(sequence, folder + "/full_occlusion.txt", unset);
    mark(sequence, folder + "/out_of_view.txt", unset);
    return sequence;
  });
  require_contents(dataset, root, "<class>/<class>-<n>/groundtruth.txt");
  return dataset;
}

Dataset read_trackingnet(const std::string& root, const std::vector<int>& chunks) {
  Dataset dataset;
  dataset.name = "trackingnet";
  std::vector<std::string> parts;
  for (const int chunk : chunks) parts.push_back("TRAIN_" + std::to_string(chunk));
  if (parts.empty()) {
    for (const std::string& name : subfolders(root)) {
      if (name.starts_with("TRAIN_")) parts.push_back(name);
    }
  }
  for (const std::string& part : parts) {
    const std::string chunk = root + "/" + part;
    if (!is_folder(chunk + "/frames")) {
      dataset.skip(chunk + "/frames: no such folder");
      continue;
    }
    add_sequences(dataset, subfolders(chunk + "/frames"), [&](const std::string& name) {
      const std::string boxes = chunk + "/anno/" + name + ".txt";
      const std::size_t count = read_box_file(boxes, 0.0).size();
      return sequence_of(name, FrameFiles::numbered(chunk + "/frames/" + name, 0, 0, ".jpg", count),
                         boxes, 0.0, dataset);
    });
  }
  require_contents(dataset, root, "TRAIN_<k>/frames/<video> with TRAIN_<k>/anno/<video>.txt");
  return dataset;
}

Dataset read_got10k(const std::string& root, const std::string& split_file) {
  Dataset dataset;
  dataset.name = "got10k";
  std::vector<std::string> names =
      is_file(root + "/list.txt") ? read_lines(root + "/list.txt") : subfolders(root);
  if (!split_file.empty()) {
    std::vector<std::string> chosen;
    for (const std::string& line : read_lines(split_file)) {
      const bool index = line.find_first_not_of("0123456789") == std::string::npos;
      if (!index) {
        chosen.push_back(line);
      } else if (line.size() < 10 && static_cast<std::size_t>(std::stol(line)) < names.size()) {
        chosen.push_back(names[static_cast<std::size_t>(std::stol(line))]);
      } else {
        dataset.skip(split_file + ": there is no sequence " + line);
      }
    }
    names = chosen;
  }
  add_sequences(dataset, names, [&](const std::string& name) {
    const std::string folder = root + "/" + name;
    const std::string boxes = folder + "/groundtruth.txt";
    const std::size_t count = read_box_file(boxes, 0.0).size();
    Sequence sequence =
        sequence_of(name, FrameFiles::numbered(folder, 1, 8, ".jpg", count), boxes, 0.0, dataset);
    mark(sequence, folder + "/absence.label", [](double flag) { return flag == 0.0; });
    mark(sequence, folder + "/cover.label", [](double flag) { return flag > 0.0; });
    return sequence;
  });
  require_contents(dataset, root, "<video>/groundtruth.txt");
  return dataset;
}

}  // namespace atomtrack
