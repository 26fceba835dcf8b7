// SPDX-License-Identifier: MIT
// Crops and augmentations against numbers recorded from an independent implementation.
#include "support/goldens.hpp"

#include <doctest/doctest.h>

#include "atomtrack/image/augmentation.hpp"
#include "atomtrack/image/crop.hpp"
#include "atomtrack/image/frame.hpp"
#include "atomtrack/primitives/primitives.hpp"
#include "support/compare.hpp"

using namespace atomtrack;
using test::absolute_difference;
using test::Golden;

namespace {

std::string two_digits(std::int64_t i) {
  return std::to_string(100 + i).substr(1);
}

}  // namespace

TEST_CASE("crops agree with the goldens, on every host backend") {
  const Golden golden("sample_patch.h5");
  const auto image = golden.tensor<std::uint8_t>("image");
  const auto positions = golden.tensor<double>("pos").to_vector();
  const auto scales = golden.tensor<double>("scale").to_vector();
  const auto sides = golden.tensor<std::int32_t>("out_sz").to_vector();
  for (std::size_t i = 0; i < scales.size(); ++i) {
    CAPTURE(i);
    const CropWindow window =
        sample_window(positions[2 * i], positions[2 * i + 1], scales[i] * sides[i], sides[i],
                      static_cast<int>(image.extent(0)), static_cast<int>(image.extent(1)));
    const auto recorded =
        golden.tensor<double>("int_div/coord_" + two_digits(static_cast<std::int64_t>(i)))
            .to_vector();
    const auto step = static_cast<double>(window.step);
    CHECK(recorded[0] == static_cast<double>(window.top) * step);
    CHECK(recorded[1] == static_cast<double>(window.left) * step);
    CHECK(recorded[2] == static_cast<double>(window.top + window.height) * step);
    CHECK(recorded[3] == static_cast<double>(window.left + window.width) * step);

    const auto patch =
        golden.tensor<float>("int_div/patch_" + two_digits(static_cast<std::int64_t>(i)));
    const float zero[3] = {0, 0, 0};
    const float one[3] = {1, 1, 1};
    FrameRegion region;
    extract_region({image.data(), static_cast<int>(image.extent(1)),
                    static_cast<int>(image.extent(0)), 0, PixelFormat::rgb8},
                   window, region);
    for (const Device device : {Device::cpu(), Device::reference()}) {
      Tensor<float> crop(Shape{1, 3, sides[i], sides[i]}, device);
      primitives_for<float>(device).crop_resize_frame(image.to(device), window, zero, one, crop);
      CHECK(absolute_difference(crop.reshape(patch.shape()), patch) < 1e-3);
      primitives_for<float>(device).crop_resize_frame(region.pixels.to(device), region.window, zero,
                                                      one, crop);
      CHECK(absolute_difference(crop.reshape(patch.shape()), patch) < 1e-3);
    }
  }
}

TEST_CASE("the other rounding of newer frameworks cuts windows that are one pixel larger") {
  // Recorded too, so that a reader who compares with such a run knows why it differs: ours is the
  // released rule.
  const Golden golden("sample_patch.h5");
  int different = 0;
  int larger = 0;
  for (const std::string& name : golden.children("true_div")) {
    if (name.starts_with("coord")) {
      const auto ours = golden.tensor<double>("int_div/" + name).to_vector();
      const auto theirs = golden.tensor<double>("true_div/" + name).to_vector();
      larger += theirs[2] - theirs[0] > ours[2] - ours[0] ? 1 : 0;
    } else {
      const auto ours = golden.tensor<float>("int_div/" + name);
      different +=
          absolute_difference(ours, golden.tensor<float>("true_div/" + name)) > 1e-3 ? 1 : 0;
    }
  }
  CHECK(larger > 0);
  CHECK(different > 0);
}

TEST_CASE("augmentations agree with the goldens") {
  const Golden golden("augment.h5");
  const auto patch = golden.tensor<float>("patch").reshape(Shape{1, 3, 64, 64});
  using Kind = Augmentation::Kind;
  struct Case {
    const char* name;
    Augmentation augmentation;
  };
  const Case cases[] = {
      {"identity", {Kind::identity}},
      {"translation", {Kind::translation}},
      {"fliplr", {Kind::flip}},
      {"blur", {Kind::blur, 0, 0, 2.0, 0.2}},
      {"blur2", {Kind::blur, 0, 0, 1.0, 3.0}},
      {"rotate10", {Kind::rotation, 0, 0, 0, 0, 10}},
      {"rotate10_exact", {Kind::rotation, 0, 0, 0, 0, 10}},
      {"rotate-60", {Kind::rotation, 0, 0, 0, 0, -60}},
      {"rotate-60_exact", {Kind::rotation, 0, 0, 0, 0, -60}},
      {"rotate45_noshift", {Kind::rotation, 0, 0, 0, 0, 45}},
      {"rotate45_noshift_exact", {Kind::rotation, 0, 0, 0, 0, 45}},
  };
  for (Case test : cases) {
    const std::string name = test.name;
    CAPTURE(name);
    const std::string with_shift =
        name.ends_with("_exact") ? name.substr(0, name.size() - 6) : name;
    const auto shift = golden.attributes(with_shift, "shift");
    test.augmentation.shift_row = static_cast<int>(shift[0]);
    test.augmentation.shift_col = static_cast<int>(shift[1]);
    Tensor<float> crop(Shape{1, 3, 32, 32});
    augment(patch, test.augmentation, crop);
    CHECK(absolute_difference(crop.reshape(Shape{3, 32, 32}), golden.tensor<float>(name)) < 1e-3);
  }
}
