// SPDX-License-Identifier: MIT
#include "atomtrack/training/config.hpp"

#include <fstream>
#include <sstream>

#include "atomtrack/datasets/readers.hpp"
#include "training/json_object.hpp"
#include "weights/sha256.hpp"

namespace atomtrack {
namespace {

using Json = nlohmann::json;

DatasetConfig dataset_config(const Json& json, const std::string& where) {
  JsonObject object(json, where);
  DatasetConfig config;
  object.required("layout", config.layout);
  object.required("root", config.root);
  object.optional("split", config.split);
  object.optional("annotations", config.annotations);
  object.optional("weight", config.weight);
  object.optional("validation_every", config.validation_every);
  if (object.has("chunks")) {
    for (const Json& chunk : object.array("chunks")) {
      require<InputError>(chunk.is_number_integer(), where, ": 'chunks' holds ", chunk.dump(),
                          ", expected whole numbers");
      config.chunks.push_back(chunk.get<int>());
    }
  }
  JsonObject weights = object.object("weights");
  for (const auto& [name, weight] : weights.json().items())
    weights.required(name.c_str(), config.weights[name]);
  object.finish();
  require<InputError>(config.validation_every >= 0, where,
                      ": 'validation_every' must not be negative");
  require<InputError>(config.layout != "coco" || !config.annotations.empty(), where,
                      ": a coco dataset needs 'annotations'");
  return config;
}

SamplingOptions sampling_options(JsonObject object) {
  SamplingOptions o;
  object.optional("max_gap", o.max_gap);
  object.optional("minimum_visible", o.minimum_visible);
  object.optional("minimum_frames", o.minimum_frames);
  object.optional("minimum_side", o.minimum_side);
  object.optional("proposals", o.proposals);
  object.optional("minimum_overlap", o.minimum_overlap);
  object.optional("targets", o.targets);
  object.optional("extra_weight", o.extra_weight);
  object.optional("part_share", o.part_share);
  object.optional("loose_share", o.loose_share);
  object.optional("pseudo_share", o.pseudo_share);
  object.optional("cross_proposals", o.cross_proposals);
  object.finish();
  return o;
}

AugmentationOptions augmentation_options(JsonObject object) {
  AugmentationOptions o;
  object.optional("crop", o.crop);
  object.optional("area_scale", o.area_scale);
  object.optional("position", o.position);
  object.optional("scale", o.scale);
  object.optional("flip", o.flip);
  object.optional("flips_apart", o.flips_apart);
  object.optional("reference_position", o.reference_position);
  object.optional("reference_scale", o.reference_scale);
  object.optional("rotation", o.rotation);
  object.optional("aspect", o.aspect);
  object.optional("reflect", o.reflect);
  object.optional("swap_background", o.swap_background);
  object.optional("occlude", o.occlude);
  JsonObject colours = object.object("colours");
  colours.optional("grayscale", o.colours.grayscale);
  colours.optional("brightness", o.colours.brightness);
  colours.optional("contrast", o.colours.contrast);
  colours.optional("colour", o.colours.colour);
  colours.optional("gamma", o.colours.gamma);
  colours.optional("blur", o.colours.blur);
  colours.optional("noise", o.colours.noise);
  colours.finish();
  object.finish();
  return o;
}

TrainingOptions training_options(JsonObject object) {
  TrainingOptions o;
  object.optional("batch", o.batch);
  object.optional("group", o.group);
  object.optional("average", o.average);
  object.optional("climbing_candidates", o.climbing_candidates);
  object.optional("frozen_stages", o.frozen_stages);
  std::string precision = "full";
  object.optional("precision", precision);
  o.precision = parse_precision(precision);
  // Small gradients would vanish in half's five bits of exponent.
  require<InputError>(o.precision != Precision::half, object.where(),
                      ": 'precision' is 'half', expected full, tf32 or bfloat16");
  object.optional("loader_threads", o.loader_threads);
  for (const Json& json : object.array("schedule")) {
    JsonObject stage(json, object.where() + ": schedule");
    TrainingStage s;
    stage.required("until", s.until);
    stage.required("head_rate", s.head_rate);
    stage.optional("head_rate_end", s.head_rate_end);
    stage.optional("backbone_rate", s.backbone_rate);
    stage.optional("backbone_rate_end", s.backbone_rate_end);
    stage.finish();
    o.schedule.push_back(s);
  }
  object.finish();
  return o;
}

/// A digest of what decides the result: not where the data lies, nor how often it is saved.
std::string fingerprint_of(Json json) {
  for (const char* key : {"checkpoint_every", "validation", "about"}) json.erase(key);
  json["training"].erase("loader_threads");
  for (Json& dataset : json["datasets"]) dataset.erase("root");
  const std::string text = json.dump();
  return sha256({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

std::vector<Dataset> read_sets(const DatasetConfig& config, const std::string& folder,
                               const std::string& split) {
  if (config.layout == "lasot") return {read_lasot(folder, split)};
  if (config.layout == "trackingnet") return {read_trackingnet(folder, config.chunks)};
  if (config.layout == "got10k") return {read_got10k(folder, split)};
  if (config.layout == "imagenet_vid") return {read_imagenet_vid(folder)};
  if (config.layout == "coco") return {read_coco(folder, split)};
  if (config.layout == "otb") return {read_otb_style(folder)};
  if (config.layout == "pool") return read_pool(folder);
  throw InputError(concatenate("dataset layout '", config.layout,
                               "': expected lasot, trackingnet, got10k, imagenet_vid, coco, otb or "
                               "pool"));
}

/// Moves every n-th entry from one list to another.
template <class Entry>
void split_off(std::vector<Entry>& from, std::vector<Entry>& to, int every) {
  std::vector<Entry> kept;
  for (std::size_t i = 0; i < from.size(); ++i) {
    const auto n = static_cast<std::size_t>(every);
    (i % n == n / 2 ? to : kept).push_back(std::move(from[i]));
  }
  from = std::move(kept);
}

std::string within(const std::string& folder, const std::string& path) {
  return path.empty() || path.front() == '/' || folder.empty() ? path : folder + "/" + path;
}

}  // namespace

TrainingConfig parse_training_config(const std::string& text, const std::string& path) {
  const Json json = Json::parse(text, nullptr, false);
  require<InputError>(!json.is_discarded(), path, ": is not complete JSON");
  JsonObject object(json, path);
  TrainingConfig config;
  std::string about;
  object.optional("about", about);
  std::string architecture = name_of(config.training.architecture);
  object.optional("architecture", architecture);
  object.optional("seed", config.training.seed);
  object.optional("checkpoint_every", config.checkpoint_every);
  for (const Json& dataset : object.array("datasets"))
    config.datasets.push_back(dataset_config(dataset, path + ": datasets"));
  config.sampling = sampling_options(object.object("sampling"));
  config.augmentation = augmentation_options(object.object("augmentation"));
  const std::uint64_t seed = config.training.seed;
  config.training = training_options(object.object("training"));
  config.training.architecture = parse_iou_architecture(architecture);
  config.training.seed = seed;
  JsonObject validation = object.object("validation");
  validation.optional("pairs", config.validation_pairs);
  validation.optional("every", config.validate_every);
  validation.finish();
  object.finish();
  config.fingerprint = fingerprint_of(json);
  return config;
}

TrainingConfig read_training_config(const std::string& path) {
  std::ifstream file(path);
  require<InputError>(file.good(), path, ": cannot be read, expected a training configuration");
  std::ostringstream text;
  text << file.rdbuf();
  return parse_training_config(text.str(), path);
}

TrainingData read_training_data(const TrainingConfig& config, const std::string& data_folder) {
  TrainingData data;
  for (const DatasetConfig& entry : config.datasets) {
    const std::string& list = entry.layout == "coco" ? entry.annotations : entry.split;
    for (Dataset& set :
         read_sets(entry, within(data_folder, entry.root), within(data_folder, list))) {
      const auto own = entry.weights.find(set.name);
      const double weight = entry.weight * (own == entry.weights.end() ? 1.0 : own->second);
      Dataset held_out;
      held_out.name = set.name;
      if (entry.validation_every > 0) {
        split_off(set.sequences, held_out.sequences, entry.validation_every);
        split_off(set.stills, held_out.stills, entry.validation_every);
      }
      if (!held_out.empty()) data.validation.push_back({std::move(held_out), weight});
      if (!set.empty()) data.training.push_back({std::move(set), weight});
    }
  }
  return data;
}

}  // namespace atomtrack
