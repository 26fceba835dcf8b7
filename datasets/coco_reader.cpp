// SPDX-License-Identifier: MIT
#include <fstream>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "atomtrack/datasets/readers.hpp"
#include "datasets/folders.hpp"

namespace atomtrack {

using namespace datasets;

namespace {

using Json = nlohmann::json;

Json parsed(const std::string& path) {
  std::ifstream file(path);
  require<InputError>(file.good(), path, ": cannot be read");
  Json json = Json::parse(file, nullptr, false);
  require<InputError>(!json.is_discarded(), path, ": is not complete JSON");
  for (const char* key : {"images", "annotations"}) {
    require<InputError>(json.contains(key) && json[key].is_array(), path, ": lacks the array '",
                        key, "' of COCO's annotations");
  }
  return json;
}

bool four_numbers(const Json& value) {
  if (!value.is_array() || value.size() != 4) return false;
  return std::all_of(value.begin(), value.end(), [](const Json& v) { return v.is_number(); });
}

}  // namespace

Dataset read_coco(const std::string& images, const std::string& annotations) {
  const Json json = parsed(annotations);
  Dataset dataset;
  dataset.name = "coco";
  std::vector<StillImage> all;
  std::unordered_map<std::int64_t, std::size_t> index_of;
  for (const Json& image : json["images"]) {
    const bool whole = image.is_object() && image.contains("id") &&
                       image["id"].is_number_integer() && image.contains("file_name") &&
                       image["file_name"].is_string();
    if (!whole) {
      dataset.skip(annotations + ": an image without id or file_name");
      continue;
    }
    index_of.emplace(image["id"].get<std::int64_t>(), all.size());
    all.push_back({images + "/" + image["file_name"].get<std::string>(), {}});
  }
  for (const Json& annotation : json["annotations"]) {
    const bool whole = annotation.is_object() && annotation.contains("image_id") &&
                       annotation["image_id"].is_number_integer() && annotation.contains("bbox") &&
                       four_numbers(annotation["bbox"]);
    if (!whole) {
      dataset.skip(annotations + ": an annotation without image_id or bbox");
      continue;
    }
    const Json crowd = annotation.value("iscrowd", Json(0));
    if (crowd == 1 || crowd == true) continue;
    const auto found = index_of.find(annotation["image_id"].get<std::int64_t>());
    const Json& b = annotation["bbox"];
    const CompactBox box{b[0].get<float>(), b[1].get<float>(), b[2].get<float>(),
                         b[3].get<float>()};
    if (found == index_of.end() || !(box[2] > 0.0F) || !(box[3] > 0.0F)) {
      dataset.skip(annotations + ": an annotation of no image, or a box of no size");
      continue;
    }
    all[found->second].boxes.push_back(box);
  }
  for (StillImage& still : all) {
    if (!still.boxes.empty()) dataset.stills.push_back(std::move(still));
  }
  require_contents(dataset, annotations, "images with boxes");
  return dataset;
}

std::vector<Dataset> read_pool(const std::string& root) {
  std::vector<Dataset> sets;
  for (const std::string& name : subfolders(root)) {
    const std::string folder = root + "/" + name;
    const std::string instances = folder + "/instances.json";
    Dataset set =
        is_file(instances) ? read_coco(folder + "/images", instances) : read_otb_style(folder);
    set.name = name;
    sets.push_back(std::move(set));
  }
  require<InputError>(!sets.empty(), root,
                      ": holds no folders, expected one for each set of clips or images");
  return sets;
}

}  // namespace atomtrack
