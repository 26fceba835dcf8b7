// SPDX-License-Identifier: MIT
#include "atomtrack/training/pair_source.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <set>

#include "atomtrack/training/pair_loader.hpp"
#include "atomtrack/training/proposals.hpp"
#include "training/synthetic_data.hpp"

using namespace atomtrack;

namespace {

std::vector<WeightedDataset> both() {
  return {{test::synthetic_videos(), 1.0}, {test::synthetic_stills(), 1.0}};
}

bool equal(const TrainingPair& a, const TrainingPair& b) {
  bool same = a.reference.to_vector() == b.reference.to_vector() &&
              a.test.to_vector() == b.test.to_vector() && a.targets.size() == b.targets.size();
  for (std::size_t i = 0; same && i < a.targets.size(); ++i) {
    same = a.targets[i].reference == b.targets[i].reference &&
           a.targets[i].test == b.targets[i].test &&
           a.targets[i].proposals == b.targets[i].proposals &&
           a.targets[i].overlaps == b.targets[i].overlaps;
  }
  return same;
}

/// How much of the red in a crop lies within a box.
double red_share(const Tensor<std::uint8_t>& pixels, const Box& box) {
  double inside = 0.0, all = 0.0;
  const std::int64_t side = pixels.extent(0);
  for (std::int64_t y = 0; y < side; ++y) {
    for (std::int64_t x = 0; x < side; ++x) {
      if (pixels.data()[(y * side + x) * 3] < 200) continue;
      all += 1;
      const auto px = static_cast<double>(x), py = static_cast<double>(y);
      inside += px >= box.x - 1.5 && px <= box.x + box.width + 0.5 && py >= box.y - 1.5 &&
                        py <= box.y + box.height + 0.5
                    ? 1
                    : 0;
    }
  }
  return all > 0 ? inside / all : -1.0;
}

AugmentationOptions plain() {
  AugmentationOptions augmentation = test::small_augmentation();
  augmentation.colours = {};
  augmentation.colours.grayscale = 0.0;
  augmentation.colours.brightness = 0.0;
  return augmentation;
}

}  // namespace

TEST_CASE("the boxes of a pair lie on the target in both crops") {
  AugmentationOptions turned = plain();
  turned.reference_position = 0.5;
  turned.aspect = 0.2;
  for (const AugmentationOptions& augmentation : {plain(), turned}) {
    const PairSource source({{test::synthetic_videos(), 1.0}}, test::synthetic_reader(),
                            test::small_sampling(), augmentation, 7);
    for (std::uint64_t i = 0; i < 30; ++i) {
      const TrainingPair pair = source.make(i);
      CAPTURE(i);
      CHECK(red_share(pair.reference, pair.targets[0].reference) > 0.97);
      CHECK(red_share(pair.test, pair.targets[0].test) > 0.97);
      // As large as the target is at a fifth of the crop.
      const Box& box = pair.targets[0].reference;
      CHECK(std::sqrt(box.width * box.height) == doctest::Approx(64 / 5.0).epsilon(0.1));
    }
  }
}

TEST_CASE("candidates overlap their target by more than a tenth, as stated") {
  SamplingOptions sampling = test::small_sampling();
  sampling.proposals = 16;
  const PairSource source(both(), test::synthetic_reader(), sampling, test::small_augmentation(),
                          2);
  std::set<int> seen;
  for (std::uint64_t i = 0; i < 60; ++i) {
    for (const PairTarget& target : source.make(i).targets) {
      REQUIRE(target.proposals.size() == 16);
      for (std::size_t k = 0; k < target.proposals.size(); ++k) {
        CHECK(target.overlaps[k] ==
              static_cast<float>(intersection_over_union(target.proposals[k], target.test)));
        CHECK(target.overlaps[k] > 0.1F);
        seen.insert(static_cast<int>(target.overlaps[k] * 10));
      }
    }
  }
  CHECK(seen.size() >= 8);  // from poor to nearly perfect
}

TEST_CASE("a pair depends on seed and number alone, whatever the number of threads") {
  SamplingOptions sampling = test::small_sampling();
  sampling.targets = 3;
  sampling.pseudo_share = 0.3;
  sampling.cross_proposals = 1;
  AugmentationOptions augmentation = test::small_augmentation();
  augmentation.rotation = 10;
  augmentation.reflect = 0.5;
  augmentation.swap_background = 0.3;
  augmentation.colours = {0.2, 0.2, 0.2, 0.1, 0.2, 0.5, 0.02};
  const PairSource source(both(), test::synthetic_reader(), sampling, augmentation, 5);
  const PairSource again(both(), test::synthetic_reader(), sampling, augmentation, 5);
  const PairSource other(both(), test::synthetic_reader(), sampling, augmentation, 6);
  const auto index_of = [](std::uint64_t n) { return 3 * n; };
  PairLoader one(source, index_of, 1, 2), three(source, index_of, 3, 7);
  int different = 0;
  for (std::uint64_t n = 0; n < 20; ++n) {
    const TrainingPair expected = again.make(3 * n);
    CHECK(expected.targets.size() == 3);
    CHECK(equal(one.next(), expected));
    CHECK(equal(three.next(), expected));
    different += equal(other.make(3 * n), expected) ? 0 : 1;
  }
  CHECK(different >= 19);
}

TEST_CASE("several targets of a pair are told apart by their references") {
  SamplingOptions sampling = test::small_sampling();
  sampling.targets = 4;
  sampling.cross_proposals = 2;
  sampling.extra_weight = 0.5;
  const PairSource source({{test::synthetic_stills(), 1.0}}, test::synthetic_reader(), sampling,
                          test::small_augmentation(), 11);
  int distinct = 0;
  for (std::uint64_t i = 0; i < 30; ++i) {
    const TrainingPair pair = source.make(i);
    REQUIRE(pair.targets.size() == 4);
    CHECK(pair.targets[0].weight == 1.0F);
    for (std::size_t t = 1; t < 4; ++t) {
      const PairTarget& target = pair.targets[t];
      const bool own = !(target.test == pair.targets[0].test);
      CHECK(target.weight == (own ? 0.5F : 1.0F));
      distinct += own ? 1 : 0;
      // The same thing in both crops: the map from one to the other is the first target's.
      const double scale = pair.targets[0].test.width / pair.targets[0].reference.width;
      CHECK(target.test.width == doctest::Approx(scale * target.reference.width).epsilon(1e-6));
    }
  }
  CHECK(distinct > 45);
}

TEST_CASE("an occluder covers a part of the target in the test crop and moves no box") {
  AugmentationOptions covered = plain();
  covered.occlude = 1.0;
  SamplingOptions sampling = test::small_sampling();
  sampling.targets = 1;
  const auto source = [&](const AugmentationOptions& augmentation) {
    return PairSource({{test::synthetic_videos(), 1.0}}, test::synthetic_reader(), sampling,
                      augmentation, 21);
  };
  const PairSource clear = source(plain()), hidden = source(covered);
  double mean = 0.0;
  for (std::uint64_t i = 0; i < 30; ++i) {
    CAPTURE(i);
    const TrainingPair a = clear.make(i), b = hidden.make(i);
    CHECK(a.reference.to_vector() == b.reference.to_vector());
    CHECK(a.targets[0].reference == b.targets[0].reference);
    CHECK(a.targets[0].test == b.targets[0].test);
    const Box& box = a.targets[0].test;
    double inside = 0.0, changed = 0.0;
    const std::int64_t side = a.test.extent(0);
    for (std::int64_t y = 0; y < side; ++y) {
      for (std::int64_t x = 0; x < side; ++x) {
        const auto px = static_cast<double>(x), py = static_cast<double>(y);
        if (px < box.x || px > box.x + box.width || py < box.y || py > box.y + box.height) continue;
        const std::int64_t at = (y * side + x) * 3;
        inside += 1.0;
        changed +=
            std::equal(a.test.data() + at, a.test.data() + at + 3, b.test.data() + at) ? 0 : 1;
      }
    }
    CHECK(changed < 0.7 * inside);
    mean += changed / inside / 30.0;
  }
  CHECK(mean > 0.1);
  CHECK(mean < 0.45);
}

TEST_CASE("an image that cannot be read is passed over and counted") {
  const PairSource source(
      {{test::synthetic_videos("broken"), 1.0}, {test::synthetic_videos(), 1.0}},
      test::synthetic_reader(), test::small_sampling(), test::small_augmentation(), 1);
  for (std::uint64_t i = 0; i < 20; ++i) CHECK(source.make(i).targets.size() == 1);
  CHECK(source.unreadable() > 3);
  CHECK(source.last_failure().find("broken/") == 0);

  const PairSource hopeless({{test::synthetic_videos("broken"), 1.0}}, test::synthetic_reader(),
                            test::small_sampling(), test::small_augmentation(), 1);
  CHECK_THROWS_AS(hopeless.make(0), InputError);
  PairLoader loader(
      hopeless, [](std::uint64_t n) { return n; }, 1, 1);
  CHECK_THROWS_AS(loader.next(), InputError);
}

TEST_CASE("datasets without anything to train on and options out of range are refused") {
  const auto make = [](std::vector<WeightedDataset> datasets, const SamplingOptions& sampling,
                       const AugmentationOptions& augmentation) {
    const PairSource source(std::move(datasets), test::synthetic_reader(), sampling, augmentation,
                            0);
  };
  SamplingOptions long_videos = test::small_sampling();
  long_videos.minimum_frames = 31;
  CHECK_THROWS_AS(make({{test::synthetic_videos(), 1.0}}, long_videos, {}), InputError);
  SamplingOptions large = test::small_sampling();
  large.minimum_side = 100;
  CHECK_THROWS_AS(make(both(), large, {}), InputError);
  CHECK_THROWS_AS(make({{test::synthetic_videos(), -1.0}}, test::small_sampling(), {}), InputError);
  AugmentationOptions odd;
  odd.crop = 100;
  CHECK_THROWS_AS(make(both(), test::small_sampling(), odd), InputError);
}

TEST_CASE("reference and test frame are at most the gap apart") {
  SamplingOptions sampling = test::small_sampling();
  sampling.max_gap = 3;
  std::set<std::string> read;
  const ImageReader reader = [&](const std::string& path) {
    read.insert(path);
    return test::synthetic_reader()(path);
  };
  const PairSource source({{test::synthetic_videos(), 1.0}}, reader, sampling,
                          test::small_augmentation(), 3);
  int largest = 0;
  for (std::uint64_t i = 0; i < 60; ++i) {
    read.clear();
    source.make(i);
    std::vector<int> frames;
    for (const std::string& path : read)
      frames.push_back(std::stoi(path.substr(path.rfind('/') + 1)));
    if (frames.size() == 2) largest = std::max(largest, std::abs(frames[0] - frames[1]));
  }
  CHECK(largest == 3);
}
