// SPDX-License-Identifier: MIT
// The tracking loop (section 3.3): classify, estimate, learn.
#include "atomtrack/tracker/tracker.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "atomtrack/tracker/feature_normalization.hpp"
#include "atomtrack/tracker/labels.hpp"
#include "tracker/tracker_implementation.hpp"

namespace atomtrack {
inline namespace v1 {
namespace {

using Plan = FeaturePlan<float>;

/// Milliseconds since the last reading.
class StopWatch {
 public:
  double lap() {
    const auto now = std::chrono::steady_clock::now();
    const std::chrono::duration<double, std::milli> passed = now - last_;
    last_ = now;
    return passed.count();
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

double total(const StageTimes& times) {
  return times.crop + times.features + times.classify + times.refine + times.update;
}

void check_box(const Box& box, const ImageView& image) {
  const bool finite = std::isfinite(box.x) && std::isfinite(box.y) && std::isfinite(box.width) &&
                      std::isfinite(box.height);
  require<InputError>(finite && box.width > 0 && box.height > 0, "box ", box.x, ",", box.y, ",",
                      box.width, ",", box.height, ": expected finite numbers and a positive size");
  const bool overlaps = box.x < image.width && box.y < image.height && box.x + box.width > 0 &&
                        box.y + box.height > 0;
  require<InputError>(overlaps, "box ", box.x, ",", box.y, ",", box.width, ",", box.height,
                      ": lies outside the image of ", image.width, "x", image.height, " pixels");
  constexpr double largest = 1e6;
  require<InputError>(box.width < largest && box.height < largest, "box ", box.x, ",", box.y, ",",
                      box.width, ",", box.height, ": larger than ", largest, " pixels");
}

/// Halves to even, as the released tracker rounds the position around which it cuts.
RowCol rounded(RowCol position) {
  return {std::nearbyint(position.row), std::nearbyint(position.col)};
}

}  // namespace

const char* to_string(State state) {
  switch (state) {
    case State::tracked:
      return "tracked";
    case State::uncertain:
      return "uncertain";
    case State::hard_negative:
      return "hard_negative";
    case State::lost:
      return "lost";
  }
  return "unknown";
}

Tracker::Implementation::Implementation(Model shared_model, const Options& chosen)
    : model(std::move(shared_model)),
      options(chosen),
      cells(chosen.crop_size / 16),
      region(model.implementation().metadata, chosen.crop_size, model.device()),
      localizer(chosen, cells, model.device()),
      random(chosen.seed),
      handover_(model.device()) {}

Tracker::Implementation::~Implementation() {
  handover_.take_back();
}

// ---- The first frame ----

Result Tracker::Implementation::init(const ImageView& image, const Box& box) {
  StopWatch whole;
  handover_.take_over();
  Track fresh = start(image, box);
  learn_first_frame(image, fresh);
  track.emplace(std::move(fresh));  // only now: an init that throws leaves the tracker as it was
  // The first frame needs several times the memory of any other: what it leaves in the pool goes
  // back to the system.
  release_cached_memory(model.device());
  Result result;
  result.box = box;
  result.score = 1.0;
  result.milliseconds.total = whole.lap();
  return result;
}

Track Tracker::Implementation::start(const ImageView& image, const Box& box) const {
  check(image);
  check_box(box, image);
  Track fresh(Target(box, options), random, model.device());
  fresh.label_sigma = atomtrack::label_sigma(fresh.target.base_size(), options);
  return fresh;
}

void Tracker::Implementation::learn_first_frame(const ImageView& image, Track& fresh) {
  std::vector<Augmentation> augmentations = draw_augmentations(fresh);
  Plan::Maps maps = first_frame_maps(image, fresh, augmentations);
  // The reference branch sees the unaugmented crop's features as they are, before any
  // normalisation.
  if (options.estimation == Estimation::overlap_maximization) {
    fresh.estimator.emplace(*model.implementation().predictor, maps.layer2.slice(0, 1),
                            maps.layer3.slice(0, 1), fresh.target, rounded(fresh.target.position),
                            options);
    if (options.adaptation_n_gn > 0) adapt_estimator(image, fresh);
  }
  if (!options.use_classifier) return;
  const FirstFrameSamples samples =
      first_frame_samples(std::move(augmentations), maps.layer3, fresh);
  fresh.classifier.emplace(samples.features, samples.labels, options, fresh.random);
}

/// Crops as tracking will cut them: around a position and at a scale that are a little wrong.
void Tracker::Implementation::adapt_estimator(const ImageView& image, Track& fresh) {
  constexpr double wrong_position = 0.3;  // of the target's size, at most
  constexpr double wrong_scale = 0.25;    // in the logarithm, at most
  const Target& target = fresh.target;
  KnownBoxes known;
  Tensor<float> crops(Shape{options.adaptation_crops, 3, options.crop_size, options.crop_size},
                      model.device());
  for (int n = 0; n < options.adaptation_crops; ++n) {
    const auto either_way = [&](double most) {
      return n == 0 ? 0.0 : fresh.random.uniform(-most, most);
    };
    const RowCol around{target.position.row + either_way(wrong_position) * target.size.row,
                        target.position.col + either_way(wrong_position) * target.size.col};
    const double scale = target.scale * std::exp(either_way(wrong_scale));
    region.cut(image, around, scale, crops, n);
    const RowCol sample_position = rounded(around);
    const double middle = (options.crop_size - 1) / 2.0;
    const double width = target.size.col / scale, height = target.size.row / scale;
    // What decode_box turns into the target's box.
    known.boxes.push_back(
        {(target.position.col - sample_position.col) / scale + middle - width / 2,
         (target.position.row - sample_position.row) / scale + middle - height / 2, width, height});
  }
  const Model::Implementation& network = model.implementation();
  Plan::Maps maps;
  network.plan(network.estimation_outputs(), options)->run(crops, maps);
  known.features = {maps.iou3.defined() ? Variable<float>(maps.iou3) : Variable<float>(),
                    maps.iou4.defined() ? Variable<float>(maps.iou4) : Variable<float>()};
  fresh.estimator->adapt(known, fresh.random);
}

FirstFrameProblem Tracker::Implementation::classifier_problem(const ImageView& image,
                                                              const Box& box) {
  Track fresh = start(image, box);
  std::vector<Augmentation> augmentations = draw_augmentations(fresh);
  Plan::Maps maps = first_frame_maps(image, fresh, augmentations);
  const FirstFrameSamples samples =
      first_frame_samples(std::move(augmentations), maps.layer3, fresh);
  return first_frame_problem(samples.features, samples.labels, options, fresh.random);
}

std::vector<Augmentation> Tracker::Implementation::draw_augmentations(Track& fresh) const {
  if (!options.augment) return {{}};
  return first_frame_augmentations(options.crop_size, options.augmentation_shift, fresh.random);
}

/// The backbone's maps of the first frame's crops.
Tracker::Implementation::Plan::Maps Tracker::Implementation::first_frame_maps(
    const ImageView& image, const Track& fresh, const std::vector<Augmentation>& augmentations) {
  const Tensor<float> crops =
      region.cut_augmented(image, fresh.target.position, fresh.target.scale, augmentations);
  Plan::Maps maps;
  model.implementation().plan(Plan::layer2 | Plan::layer3, options)->run(crops, maps);
  return maps;
}

/// Normalises `layer3` in place, adds samples of dropped channels, and makes the labels.
Tracker::Implementation::FirstFrameSamples Tracker::Implementation::first_frame_samples(
    std::vector<Augmentation> augmentations, Tensor<float>& layer3, Track& fresh) const {
  normalize_power(layer3);
  const std::int64_t images = layer3.extent(0);
  const std::int64_t dropped = options.augment ? options.dropout_samples : 0;
  FirstFrameSamples samples;
  samples.features = Tensor<float>(layer3.shape().with(0, images + dropped), model.device());
  Tensor<float> image_samples = samples.features.slice(0, images);
  Tensor<float> dropout_samples = samples.features.slice(images, dropped);
  primitives_for<float>(model.device()).copy(layer3, image_samples);
  drop_channels(samples.features.slice(0, 1), dropout_samples, fresh.random);
  augmentations.resize(
      static_cast<std::size_t>(images + dropped));  // dropout moves nothing: the identity's label
  const RowCol centre = label_centre(fresh.target.position, rounded(fresh.target.position),
                                     fresh.target.scale, options);
  samples.labels = first_frame_labels(augmentations, centre, fresh.label_sigma);
  return samples;
}

/// Each sample's label moves with its content.
Tensor<float> Tracker::Implementation::first_frame_labels(
    const std::vector<Augmentation>& augmentations, RowCol centre, double sigma) const {
  Tensor<float> labels(Shape{static_cast<std::int64_t>(augmentations.size()), 1, cells, cells},
                       model.device());
  const double cells_per_pixel = static_cast<double>(cells) / options.crop_size;
  for (std::size_t n = 0; n < augmentations.size(); ++n) {
    const RowCol moved{centre.row + augmentations[n].shift_row * cells_per_pixel,
                       centre.col + augmentations[n].shift_col * cells_per_pixel};
    Tensor<float> slot = labels.slice(static_cast<std::int64_t>(n), 1);
    primitives_for<float>(model.device()).copy(label_at(moved, sigma), slot);
  }
  return labels;
}

/// Dropout of whole channels: `features` [1,C,F,F], another mask for each of `samples` [N,C,F,F].
void Tracker::Implementation::drop_channels(const Tensor<float>& features, Tensor<float>& samples,
                                            RandomSource& source) const {
  const std::int64_t channels = features.extent(1);
  const auto kept = static_cast<float>(1.0 / (1.0 - options.dropout_probability));
  for (std::int64_t n = 0; n < samples.extent(0); ++n) {
    std::vector<float> mask;
    for (std::int64_t c = 0; c < channels; ++c) {
      mask.push_back(source.uniform() >= options.dropout_probability ? kept : 0.0F);
    }
    Tensor<float> slot = samples.slice(n, 1);
    const Tensor<float> factors(Shape{1, channels, 1, 1}, std::span<const float>(mask),
                                model.device());
    primitives_for<float>(model.device()).combine(Combination::multiply, features, factors, slot);
  }
}

// ---- Every further frame ----

Result Tracker::Implementation::update(const ImageView& image) {
  require<InputError>(track.has_value(), "update before init: there is no target yet");
  check(image);
  StopWatch watch;
  handover_.take_over();
  Result result;
  Target& target = track->target;
  ++track->frame_number;
  const RowCol sample_position = rounded(target.position);
  const std::vector<double> scales = search_scales();

  if (!crops_.defined()) {
    const auto count = static_cast<std::int64_t>(scales.size());
    crops_ = Tensor<float>(Shape{count, 3, options.crop_size, options.crop_size}, model.device());
  }
  for (std::size_t s = 0; s < scales.size(); ++s)
    region.cut(image, target.position, scales[s], crops_, static_cast<std::int64_t>(s));
  result.milliseconds.crop = watch.lap();

  const bool estimates = options.estimation == Estimation::overlap_maximization;
  const Model::Implementation& network = model.implementation();
  network.plan(Plan::layer3 | (estimates ? network.estimation_outputs() : 0U), options)
      ->run(crops_, maps_);
  result.milliseconds.features = watch.lap();

  Found found = find_target(scales, sample_position, image);
  result.milliseconds.classify = watch.lap();

  const double sample_scale = scales[found.scale_index];
  if (found.state != State::lost) estimate_box(found, sample_scale, sample_position, image);
  result.milliseconds.refine = watch.lap();

  if (track->classifier) learn(found, sample_position, sample_scale);
  result.milliseconds.update = watch.lap();

  result.box = target.box();
  result.score = found.score;
  result.state = found.state;
  result.milliseconds.total = total(result.milliseconds);
  return result;
}

std::vector<double> Tracker::Implementation::search_scales() const {
  if (options.estimation != Estimation::multi_scale) return {track->target.scale};
  std::vector<double> scales;
  for (int i = 0; i < options.multi_scale_count; ++i) {
    scales.push_back(track->target.scale *
                     std::pow(options.multi_scale_step, i - (options.multi_scale_count - 1) / 2.0));
  }
  return scales;
}

/// Target classification: the position and scale of the highest score.
Tracker::Implementation::Found Tracker::Implementation::find_target(
    const std::vector<double>& scales, RowCol sample_position, const ImageView& image) {
  const Target& target = track->target;
  if (!track->classifier) return {target.position, 0.0, State::tracked, 0};
  const std::vector<float> peaks = peaks_of(scales);
  Found best;
  for (std::size_t s = 0; s < scales.size(); ++s) {
    const Localization here = localizer.decide(std::span<const float, 6>(peaks.data() + 6 * s, 6));
    if (s > 0 && here.score <= best.score) continue;
    const RowCol position{sample_position.row + here.displacement.row * scales[s],
                          sample_position.col + here.displacement.col * scales[s]};
    best = {clamp_position(position, target.size, options.target_inside_ratio, image.width,
                           image.height),
            here.score, here.state, s};
  }
  return best;
}

/// The peaks [scales,6] of the crops' score maps.
std::vector<float> Tracker::Implementation::peaks_of(const std::vector<double>& scales) {
  std::vector<double> sizes;
  for (const double scale : scales) {
    for (const double size :
         localizer.neighbourhood({track->target.size.row / scale, track->target.size.col / scale}))
      sizes.push_back(size);
  }
  if (!neighbourhoods_.defined())
    neighbourhoods_ = Tensor<double>(Shape{crops_.extent(0), 2}, model.device());
  device_memory(model.device())
      .copy_from_host(neighbourhoods_.data(), sizes.data(), neighbourhoods_.bytes());
  const OnlineClassifier& classifier = *track->classifier;
  track->classification.run(
      {maps_.layer3.data(), neighbourhoods_.data(), classifier.filter().data()}, [&] {
        normalize_power(maps_.layer3);
        projected_ = classifier.project(maps_.layer3);
        peaks_ = localizer.peaks(classifier.scores(projected_), neighbourhoods_);
      });
  return peaks_.to_vector();
}

/// Target estimation: the box around the position found. `found` takes over the refined position's
/// overlap as its score when there is no classifier.
void Tracker::Implementation::estimate_box(Found& found, double scale, RowCol sample_position,
                                           const ImageView& image) {
  Target& target = track->target;
  if (options.estimation == Estimation::multi_scale) {
    target.set_scale(found.position, scale);
  } else {
    const auto estimated = track->estimator->estimate(
        maps_.iou3, maps_.iou4, target, found.position, sample_position, track->random);
    if (estimated) {
      target.set(estimated->position, target.steadied(estimated->size, options));
      if (!track->classifier) found.score = estimated->overlap;
    } else {
      target.position = found.position;
      if (!track->classifier) found.state = State::lost;
    }
  }
  target.keep_within(image.width, image.height);
}

/// Remembers the frame, annotated by the refined state, and optimises the filter when it is time.
void Tracker::Implementation::learn(const Found& found, RowCol sample_position,
                                    double sample_scale) {
  const bool hard_negative = options.hard_negative_mining && found.state == State::hard_negative;
  if (found.state == State::tracked || found.state == State::hard_negative) {
    const RowCol centre =
        label_centre(track->target.position, sample_position, sample_scale, options);
    track->classifier->remember(projected_.slice(static_cast<std::int64_t>(found.scale_index), 1),
                                label_at(centre, track->label_sigma), hard_negative);
  }
  if (hard_negative) {
    track->classifier->update(options.hard_negative_n_cg);
  } else if ((track->frame_number - 1) % options.update_interval == 0) {
    track->classifier->update(options.update_n_cg);
  }
}

Tensor<float> Tracker::Implementation::label_at(RowCol centre, double sigma) const {
  Tensor<float> label(Shape{1, 1, cells, cells});
  gaussian_label(centre, {sigma, sigma}, cells, cells, label.data());
  return model.device() == Device::cpu() ? label : label.to(model.device());
}

// ---- The public face ----

Tracker::Tracker(Model model, const Options& options) {
  options.validate();
  require<InputError>(
      options.estimation == Estimation::multi_scale || model.has_iou_predictor(),
      "these weights have no IoU predictor: only multi-scale search can track with them");
  implementation_ = std::make_unique<Implementation>(std::move(model), options);
}

Tracker::~Tracker() = default;
Tracker::Tracker(Tracker&&) noexcept = default;
Tracker& Tracker::operator=(Tracker&&) noexcept = default;

Result Tracker::init(const ImageView& image, const Box& box) {
  return implementation_->init(image, box);
}
Result Tracker::update(const ImageView& image) {
  return implementation_->update(image);
}
const Options& Tracker::options() const {
  return implementation_->options;
}

}  // namespace v1
}  // namespace atomtrack
