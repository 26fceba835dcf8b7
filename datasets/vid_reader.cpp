// SPDX-License-Identifier: MIT
#include <algorithm>
#include <filesystem>
#include <limits>
#include <map>
#include <pugixml.hpp>

#include "atomtrack/datasets/readers.hpp"
#include "datasets/folders.hpp"

namespace atomtrack {

using namespace datasets;

namespace {

namespace fs = std::filesystem;

constexpr float absent = std::numeric_limits<float>::quiet_NaN();

/// The annotation files of a video, in order.
std::vector<std::string> annotation_files(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (auto entry = fs::directory_iterator(folder, error);
       !error && entry != fs::directory_iterator(); entry.increment(error)) {
    if (entry->path().extension() == ".xml") files.push_back(entry->path().filename().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// A video's tracks, each a sequence over all of its frames.
void add_video(Dataset& dataset, const std::string& annotations, const std::string& images,
               const std::string& name) {
  const std::vector<std::string> files = annotation_files(annotations);
  std::vector<std::string> frames;
  for (const std::string& file : files) frames.push_back(fs::path(file).stem().string() + ".JPEG");
  std::map<std::string, Sequence> tracks;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const std::string path = annotations + "/" + files[i];
    pugi::xml_document document;
    if (!document.load_file(path.c_str())) {
      dataset.skip(path + ": is not complete XML");
      continue;
    }
    for (const pugi::xml_node& object : document.child("annotation").children("object")) {
      const pugi::xml_node corners = object.child("bndbox");
      const float left = corners.child("xmin").text().as_float(absent);
      const float top = corners.child("ymin").text().as_float(absent);
      const float width = corners.child("xmax").text().as_float(absent) - left;
      const float height = corners.child("ymax").text().as_float(absent) - top;
      if (!(width > 0.0F) || !(height > 0.0F)) {
        dataset.skip(path + ": an object without a box of positive size");
        continue;
      }
      const std::string id = object.child_value("trackid");
      Sequence& track = tracks[id];
      if (track.boxes.empty()) {
        track.name = name + "/" + id;
        track.boxes.assign(files.size(), {absent, absent, absent, absent});
        track.visible.assign(files.size(), 0);
      }
      track.boxes[i] = {left, top, width, height};
      track.visible[i] = object.child("occluded").text().as_int() == 0 ? 1 : 0;
    }
  }
  for (auto& [id, track] : tracks) {
    track.frames = FrameFiles::listed(images, frames);
    dataset.sequences.push_back(std::move(track));
  }
}

/// Visits every folder below that holds annotations.
void visit(Dataset& dataset, const std::string& annotations, const std::string& images,
           const std::string& name) {
  if (!annotation_files(annotations).empty()) return add_video(dataset, annotations, images, name);
  for (const std::string& folder : subfolders(annotations)) {
    visit(dataset, annotations + "/" + folder, images + "/" + folder,
          name.empty() ? folder : name + "/" + folder);
  }
}

}  // namespace

Dataset read_imagenet_vid(const std::string& root) {
  Dataset dataset;
  dataset.name = "imagenet_vid";
  visit(dataset, root + "/Annotations/VID/train", root + "/Data/VID/train", "");
  require_contents(dataset, root, "Annotations/VID/train/**/*.xml");
  return dataset;
}

}  // namespace atomtrack
