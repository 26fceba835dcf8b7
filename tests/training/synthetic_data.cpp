// SPDX-License-Identifier: MIT
#include "training/synthetic_data.hpp"

#include "atomtrack/layers/resnet18.hpp"
#include "atomtrack/tensor/random.hpp"
#include "training/initialization.hpp"

namespace atomtrack::test {
namespace {

constexpr int width = 120, height = 90;

}  // namespace

Box synthetic_box(int i) {
  return {30.0 + i, 25.0 + 0.5 * i, 24.0 + 0.2 * i, 18.0};
}

Dataset synthetic_videos(const std::string& name) {
  Dataset dataset;
  dataset.name = "videos";
  Sequence sequence;
  sequence.name = name;
  sequence.frames = FrameFiles::numbered(name, 0, 0, ".jpg", 30);
  for (int i = 0; i < 30; ++i) {
    sequence.boxes.push_back(compact(synthetic_box(i)));
    sequence.visible.push_back(1);
  }
  dataset.sequences.push_back(sequence);
  return dataset;
}

Dataset synthetic_stills() {
  Dataset dataset;
  dataset.name = "stills";
  dataset.stills.push_back({"still/3.jpg", {compact(synthetic_box(3)), {70, 50, 30, 20}}});
  dataset.stills.push_back({"still/9.jpg", {compact(synthetic_box(9))}});
  return dataset;
}

ImageReader synthetic_reader() {
  return [](const std::string& path) {
    require<InputError>(path.find("broken") == std::string::npos, path, ": cannot be read");
    const auto slash = path.rfind('/');
    const int number = std::stoi(path.substr(slash + 1));
    RandomSource random(static_cast<std::uint64_t>(number) + 100);
    Tensor<std::uint8_t> image(Shape{height, width, 3});
    const Box box = synthetic_box(number);
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        std::uint8_t* p = image.data() + (y * width + x) * 3;
        const bool inside =
            x >= box.x && x < box.x + box.width && y >= box.y && y < box.y + box.height;
        p[0] = inside ? target_red : static_cast<std::uint8_t>((x * 7 + y * 3) % 90);
        p[1] = inside ? static_cast<std::uint8_t>((x * 13) % 60)
                      : static_cast<std::uint8_t>(60 + (x * y) % 140);
        p[2] = static_cast<std::uint8_t>(random.below(100));
      }
    }
    return image;
  };
}

WeightsFile synthetic_backbone() {
  WeightsFile file;
  file.metadata.architecture = "backbone";
  file.tensors = initial_weights(expected_tensors(ResNet18<float>(), "feature_extractor"), 4);
  return file;
}

SamplingOptions small_sampling() {
  SamplingOptions sampling;
  sampling.proposals = 4;
  sampling.minimum_frames = 5;
  return sampling;
}

AugmentationOptions small_augmentation() {
  AugmentationOptions augmentation;
  augmentation.crop = 64;
  augmentation.position = 1.0;
  augmentation.scale = 0.2;
  return augmentation;
}

std::shared_ptr<const PairSource> synthetic_pairs(int targets) {
  SamplingOptions sampling = small_sampling();
  sampling.targets = targets;
  return std::make_shared<PairSource>(
      std::vector<WeightedDataset>{{synthetic_videos(), 1.0}, {synthetic_stills(), 1.0}},
      synthetic_reader(), sampling, small_augmentation(), 21);
}

}  // namespace atomtrack::test
