// SPDX-License-Identifier: MIT
#include "atomtrack/training/pair_source.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>

#include "atomtrack/training/proposals.hpp"
#include "training/catalogue.hpp"
#include "training/views.hpp"

namespace atomtrack {
namespace {

constexpr int most_attempts = 20;       // pairs drawn in a row whose images cannot be read
constexpr int most_rectangles = 20;     // rectangles tried until one will do
constexpr double least_texture = 12.0;  // standard deviation of grey levels, of 255

/// A source for one attempt at one pair: splitmix64 turns neighbouring seeds into unrelated
/// numbers.
RandomSource source_of(std::uint64_t seed, std::uint64_t index, int attempt) {
  RandomSource mix(seed);
  const std::uint64_t a = mix.bits();
  RandomSource pair(a ^ (index * 0xD1342543DE82EF95U));
  const std::uint64_t b = pair.bits();
  return RandomSource(b + static_cast<std::uint64_t>(attempt) * 0xA24BAED4963EE407U);
}

/// Standard deviation of an image's grey levels within a box, on a grid of 12 x 12 points.
double texture(const Tensor<std::uint8_t>& image, const Box& box) {
  constexpr int points = 12;
  const std::int64_t height = image.extent(0), width = image.extent(1);
  double sum = 0.0, squares = 0.0;
  for (int i = 0; i < points; ++i) {
    for (int j = 0; j < points; ++j) {
      const auto y = static_cast<std::int64_t>(box.y + (i + 0.5) / points * box.height);
      const auto x = static_cast<std::int64_t>(box.x + (j + 0.5) / points * box.width);
      const std::uint8_t* p = image.data() + (std::clamp<std::int64_t>(y, 0, height - 1) * width +
                                              std::clamp<std::int64_t>(x, 0, width - 1)) *
                                                 3;
      const double gray = (p[0] + p[1] + p[2]) / 3.0;
      sum += gray;
      squares += gray * gray;
    }
  }
  constexpr double count = points * points;
  return std::sqrt(std::max(0.0, squares / count - sum * sum / (count * count)));
}

/// A rectangle with texture, `smallest` to `largest` pixels in sqrt(area), wholly within the image.
std::optional<Box> textured_rectangle(const Tensor<std::uint8_t>& image, double smallest,
                                      double largest, const Box& within, RandomSource& random) {
  const auto height = static_cast<double>(image.extent(0));
  const auto width = static_cast<double>(image.extent(1));
  const double left = std::max(0.0, within.x), right = std::min(width, within.x + within.width);
  const double top = std::max(0.0, within.y), bottom = std::min(height, within.y + within.height);
  for (int i = 0; i < most_rectangles; ++i) {
    const double side = std::exp(random.uniform(std::log(smallest), std::log(largest)));
    const double aspect = std::exp(0.4 * random.normal());
    const double w = side * std::sqrt(aspect), h = side / std::sqrt(aspect);
    const double x = random.uniform(left, right - w), y = random.uniform(top, bottom - h);
    if (w > right - left || h > bottom - top) continue;
    const Box box{x, y, w, h};
    if (texture(image, box) >= least_texture) return box;
  }
  return std::nullopt;
}

/// A part of a box by its relative position.
Box part_of(const Box& whole, const Box& share) {
  return {whole.x + share.x * whole.width, whole.y + share.y * whole.height,
          share.width * whole.width, share.height * whole.height};
}

/// At least a sixth of a box. A loose one reaches outside: the object with a margin of up to a
/// third on some sides and a little cut off on others, as a user draws a box.
Box draw_share(double loose_share, RandomSource& random) {
  if (loose_share > 0.0 && random.uniform() < loose_share) {
    const auto margin = [&] { return random.uniform(-0.15, 0.33); };
    const double left = margin(), right = margin(), top = margin(), bottom = margin();
    return {-left, -top, 1.0 + left + right, 1.0 + top + bottom};
  }
  const double width = random.uniform(0.4, 0.95), height = random.uniform(0.4, 0.95);
  return {random.uniform(0.0, 1.0 - width), random.uniform(0.0, 1.0 - height), width, height};
}

/// Whether the crop shows most of the box, neither tiny nor filling it.
bool is_shown(const Box& box, int crop) {
  const double smallest = crop / 24.0;
  const double width = std::min(box.x + box.width, crop - 1.0) - std::max(box.x, 0.0);
  const double height = std::min(box.y + box.height, crop - 1.0) - std::max(box.y, 0.0);
  return width > 0.7 * box.width && height > 0.7 * box.height && box.width > smallest &&
         box.height > smallest && box.width * box.height < 0.4 * crop * crop;
}

/// A further target of the pair: another object of a still, a part of the first target, or any
/// textured rectangle of a still. Of a video only parts can be told from one frame to the next.
std::optional<PairTarget> further_target(const Selection& selection, const PairViews& views,
                                         const Tensor<std::uint8_t>& image, bool swapped,
                                         const SamplingOptions& sampling,
                                         const AugmentationOptions& augmentation,
                                         RandomSource& random) {
  const bool part = random.uniform() < sampling.part_share;
  Box reference, test;
  if (part || !selection.still || swapped) {
    if (!part) return std::nullopt;
    const Box share = draw_share(sampling.loose_share, random);
    reference = part_of(selection.reference, share);
    test = part_of(selection.test, share);
  } else if (!selection.others.empty() && random.uniform() < 0.5) {
    reference = test = selection.others[static_cast<std::size_t>(
        random.below(static_cast<std::int64_t>(selection.others.size())))];
  } else {
    const double side = std::sqrt(selection.reference.width * selection.reference.height);
    const double reach = side * augmentation.area_scale / 2;
    const double x = selection.reference.x + selection.reference.width / 2;
    const double y = selection.reference.y + selection.reference.height / 2;
    const auto rectangle = textured_rectangle(image, 0.4 * side, 1.6 * side,
                                              {x - reach, y - reach, 2 * reach, 2 * reach}, random);
    if (!rectangle) return std::nullopt;
    reference = test = *rectangle;
  }
  PairTarget target;
  target.reference = views.reference.place(reference);
  target.test = views.test.place(test);
  target.weight = static_cast<float>(sampling.extra_weight);
  if (!is_shown(target.reference, augmentation.crop) || !is_shown(target.test, augmentation.crop))
    return std::nullopt;
  return target;
}

/// Whether little can be seen of a box behind another.
bool mostly_inside(const Box& box, const Box& other) {
  return intersection_area(box, other) > 0.65 * box.width * box.height;
}

/// The largest square in the middle of an image, `side` pixels a side.
Tensor<std::uint8_t> middle_of(const Tensor<std::uint8_t>& image, bool mirror, int side) {
  const auto width = static_cast<double>(image.extent(1)),
             height = static_cast<double>(image.extent(0));
  AffineCrop crop;
  crop.centre_x = width / 2;
  crop.centre_y = height / 2;
  crop.scale_x = crop.scale_y = std::min(width, height) / side;
  crop.mirror = mirror;
  crop.output = side;
  return View(crop).pixels(image);
}

void draw_candidates(std::vector<PairTarget>& targets, const SamplingOptions& sampling,
                     RandomSource& random) {
  constexpr double cross_overlap = 0.5;  // with the other target
  for (std::size_t t = 0; t < targets.size(); ++t) {
    PairTarget& target = targets[t];
    const auto count = static_cast<std::size_t>(sampling.proposals);
    const std::size_t crossed =
        targets.size() > 1 ? static_cast<std::size_t>(sampling.cross_proposals) : 0;
    while (target.proposals.size() < count) {
      Box candidate;
      if (target.proposals.size() < crossed) {
        const auto other =
            static_cast<std::size_t>(random.below(static_cast<std::int64_t>(targets.size()) - 1));
        candidate =
            draw_proposal(targets[other < t ? other : other + 1].test, cross_overlap, random);
      } else {
        candidate = draw_proposal(target.test, sampling.minimum_overlap, random);
      }
      target.proposals.push_back(candidate);
      target.overlaps.push_back(
          static_cast<float>(intersection_over_union(candidate, target.test)));
    }
  }
}

void check(const SamplingOptions& s, const AugmentationOptions& a) {
  require<InputError>(
      s.max_gap >= 1 && s.proposals >= 1 && s.targets >= 1 && s.minimum_visible >= 1,
      "sampling: max_gap, proposals, targets and minimum_visible must be at least 1");
  require<InputError>(s.cross_proposals >= 0 && s.cross_proposals <= s.proposals,
                      "sampling: cross_proposals must lie between 0 and proposals");
  require<InputError>(
      a.crop >= 32 && a.crop % 16 == 0 && a.area_scale >= 1.0,
      "augmentation: crop must be a multiple of 16 of at least 32, and area_scale at "
      "least 1");
}

}  // namespace

struct PairSource::Contents {
  Catalogue catalogue;
  mutable std::mutex mutex;
  mutable std::string last_failure;
};

PairSource::PairSource(std::vector<WeightedDataset> datasets, ImageReader reader,
                       const SamplingOptions& sampling, const AugmentationOptions& augmentation,
                       std::uint64_t seed)
    : reader_(std::move(reader)), sampling_(sampling), augmentation_(augmentation), seed_(seed) {
  check(sampling, augmentation);
  contents_.reset(new Contents{Catalogue(std::move(datasets), sampling), {}, {}});
}

PairSource::~PairSource() = default;

std::string PairSource::last_failure() const {
  const std::lock_guard lock(contents_->mutex);
  return contents_->last_failure;
}

TrainingPair PairSource::make(std::uint64_t index) const {
  const auto attempt = [&](RandomSource& random) {
    Selection selection = contents_->catalogue.select(random);
    const bool pseudo = random.uniform() < sampling_.pseudo_share;
    if (pseudo) {
      selection.test_path = selection.reference_path = contents_->catalogue.any_image(random);
      selection.others.clear();
    }
    const Tensor<std::uint8_t> image = reader_(selection.reference_path);
    if (pseudo) {
      const auto width = static_cast<double>(image.extent(1));
      const auto height = static_cast<double>(image.extent(0));
      const double side = std::min(width, height);
      const auto rectangle = textured_rectangle(image, std::max(16.0, 0.08 * side), 0.4 * side,
                                                {0, 0, width, height}, random);
      require<InputError>(rectangle.has_value(), selection.reference_path, ": has no texture");
      selection.reference = selection.test = *rectangle;
      selection.still = true;
    }
    const PairViews views = draw_views(selection.reference, selection.test, augmentation_, random);
    TrainingPair pair;
    pair.reference = views.reference.pixels(image);
    pair.test = views.test.pixels(
        selection.test_path == selection.reference_path ? image : reader_(selection.test_path));
    PairTarget first;
    first.reference = views.reference.place(selection.reference);
    first.test = views.test.place(selection.test);
    const bool swapped = selection.still && random.uniform() < augmentation_.swap_background;
    const auto another_image = [&] {
      const Tensor<std::uint8_t> other = reader_(contents_->catalogue.any_image(random));
      return middle_of(other, random.uniform() < 0.5, augmentation_.crop);
    };
    if (swapped) swap_background(another_image(), first.test, pair.test);
    std::optional<Occluder> occluder;
    if (augmentation_.occlude > 0.0 && random.uniform() < augmentation_.occlude) {
      occluder = draw_occluder(first.test, random);
      occlude(another_image(), *occluder, pair.test);
    }
    pair.targets.push_back(first);
    while (pair.targets.size() < static_cast<std::size_t>(sampling_.targets)) {
      auto further =
          further_target(selection, views, image, swapped, sampling_, augmentation_, random);
      if (further && occluder && mostly_inside(further->test, occluder->box)) further.reset();
      pair.targets.push_back(further.value_or(first));
    }
    draw_candidates(pair.targets, sampling_, random);
    const bool gray = random.uniform() < augmentation_.colours.grayscale;
    apply(draw_change(augmentation_.colours, gray, random), pair.reference);
    apply(draw_change(augmentation_.colours, gray, random), pair.test);
    return pair;
  };
  std::string failure;
  for (int i = 0; i < most_attempts; ++i) {
    RandomSource random = source_of(seed_, index, i);
    try {
      return attempt(random);
    } catch (const InputError& error) {
      failure = error.what();
      ++unreadable_;
      const std::lock_guard lock(contents_->mutex);
      contents_->last_failure = failure;
    }
  }
  throw InputError(concatenate("no training pair could be made in ", most_attempts,
                               " attempts; the last: ", failure));
}

}  // namespace atomtrack
