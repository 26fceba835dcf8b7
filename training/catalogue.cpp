// SPDX-License-Identifier: MIT
#include "training/catalogue.hpp"

#include <algorithm>
#include <cmath>

namespace atomtrack {
namespace {

constexpr int gap_growth = 5;  // frames by which the gap is widened until a frame is found

void keep_large(std::vector<CompactBox>& boxes, double side) {
  std::erase_if(boxes, [&](const CompactBox& b) {
    return !(b[2] > 0.0F && b[3] > 0.0F) || std::sqrt(b[2] * b[3]) < static_cast<float>(side);
  });
}

/// Leaves out what is too short, too rarely seen or too small; fills `usable`.
void keep_usable(Dataset& dataset, const SamplingOptions& sampling,
                 std::vector<std::vector<std::int32_t>>& usable) {
  std::vector<Sequence> sequences;
  for (Sequence& sequence : dataset.sequences) {
    std::vector<std::int32_t> frames = sequence.usable();
    std::erase_if(frames, [&](std::int32_t i) {
      const CompactBox& b = sequence.boxes[static_cast<std::size_t>(i)];
      return std::sqrt(b[2] * b[3]) < static_cast<float>(sampling.minimum_side);
    });
    const bool long_enough =
        sequence.boxes.size() >= static_cast<std::size_t>(sampling.minimum_frames);
    if (!long_enough || frames.size() < static_cast<std::size_t>(sampling.minimum_visible)) {
      dataset.skip(concatenate(dataset.name, ": sequence ", sequence.name, " has ",
                               sequence.boxes.size(), " frames and shows its target in ",
                               frames.size(), ", too few"));
      continue;
    }
    usable.push_back(std::move(frames));
    sequences.push_back(std::move(sequence));
  }
  dataset.sequences = std::move(sequences);
  for (StillImage& still : dataset.stills) keep_large(still.boxes, sampling.minimum_side);
  std::erase_if(dataset.stills, [](const StillImage& still) { return still.boxes.empty(); });
}

}  // namespace

Catalogue::Catalogue(std::vector<WeightedDataset> datasets, const SamplingOptions& sampling)
    : max_gap_(sampling.max_gap) {
  double sum = 0.0;
  for (WeightedDataset& given : datasets) {
    require<InputError>(std::isfinite(given.weight) && given.weight >= 0.0, given.dataset.name,
                        ": weight ", given.weight, ", expected a number of at least 0");
    Entry entry;
    entry.dataset = std::move(given.dataset);
    keep_usable(entry.dataset, sampling, entry.usable);
    if (given.weight == 0.0 || entry.dataset.empty()) continue;
    sum += given.weight;
    entry.cumulative = sum;
    entries_.push_back(std::move(entry));
  }
  require<InputError>(
      !entries_.empty(),
      "no dataset holds a sequence or image that can be trained on (sequences need ",
      sampling.minimum_frames, " frames, ", sampling.minimum_visible,
      " of them showing the target)");
  for (Entry& entry : entries_) entry.cumulative /= sum;
}

const Catalogue::Entry& Catalogue::draw_entry(RandomSource& random) const {
  const double at = random.uniform();
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& entry) { return at < entry.cumulative; });
  return found == entries_.end() ? entries_.back() : *found;
}

Selection Catalogue::select_from(const Sequence& sequence, const std::vector<std::int32_t>& usable,
                                 RandomSource& random) const {
  const std::int32_t first =
      usable[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(usable.size())))];
  auto begin = usable.begin(), end = usable.begin();
  for (int gap = max_gap_; begin == end; gap += gap_growth) {
    begin = std::lower_bound(usable.begin(), usable.end(), first - gap);
    end = std::lower_bound(usable.begin(), usable.end(), first + gap);
  }
  const std::int32_t second = *(begin + random.below(end - begin));
  const auto box = [&](std::int32_t i) {
    return box_of(sequence.boxes[static_cast<std::size_t>(i)]);
  };
  return {sequence.frames.path(static_cast<std::size_t>(first)),
          sequence.frames.path(static_cast<std::size_t>(second)),
          box(first),
          box(second),
          false,
          {}};
}

Selection Catalogue::select(RandomSource& random) const {
  const Entry& entry = draw_entry(random);
  const auto sequences = static_cast<std::int64_t>(entry.dataset.sequences.size());
  const auto stills = static_cast<std::int64_t>(entry.dataset.stills.size());
  const std::int64_t at = random.below(sequences + stills);
  if (at < sequences) {
    const auto i = static_cast<std::size_t>(at);
    return select_from(entry.dataset.sequences[i], entry.usable[i], random);
  }
  const StillImage& still = entry.dataset.stills[static_cast<std::size_t>(at - sequences)];
  const auto chosen =
      static_cast<std::size_t>(random.below(static_cast<std::int64_t>(still.boxes.size())));
  Selection selection;
  selection.reference_path = selection.test_path = still.path;
  selection.reference = selection.test = box_of(still.boxes[chosen]);
  selection.still = true;
  for (std::size_t i = 0; i < still.boxes.size(); ++i) {
    if (i != chosen) selection.others.push_back(box_of(still.boxes[i]));
  }
  return selection;
}

std::string Catalogue::any_image(RandomSource& random) const {
  const Entry& entry = draw_entry(random);
  const auto sequences = static_cast<std::int64_t>(entry.dataset.sequences.size());
  const auto stills = static_cast<std::int64_t>(entry.dataset.stills.size());
  const std::int64_t at = random.below(sequences + stills);
  if (at >= sequences) return entry.dataset.stills[static_cast<std::size_t>(at - sequences)].path;
  const Sequence& sequence = entry.dataset.sequences[static_cast<std::size_t>(at)];
  return sequence.frames.path(
      static_cast<std::size_t>(random.below(static_cast<std::int64_t>(sequence.frames.size()))));
}

}  // namespace atomtrack
