// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "atomtrack/training/pair_source.hpp"

namespace atomtrack {

/// Two images, each with the box of the same target.
struct Selection {
  std::string reference_path, test_path;
  Box reference, test;
  bool still = false;       ///< one image twice
  std::vector<Box> others;  ///< of a still: the other objects in it
};

/// What can be drawn, found once: usable frames and boxes of each dataset.
class Catalogue {
 public:
  /// Throws InputError.
  Catalogue(std::vector<WeightedDataset> datasets, const SamplingOptions& sampling);

  /// Dataset by weight, then sequence or image uniformly, then frames (section 3.1: at most
  /// `max_gap` apart) or object uniformly.
  Selection select(RandomSource& random) const;
  /// Any image of any dataset, for a background or a pseudo-target.
  std::string any_image(RandomSource& random) const;

 private:
  struct Entry {
    Dataset dataset;
    double cumulative = 0.0;                        // share of this and all before
    std::vector<std::vector<std::int32_t>> usable;  // frames, per sequence
  };
  const Entry& draw_entry(RandomSource& random) const;
  Selection select_from(const Sequence& sequence, const std::vector<std::int32_t>& usable,
                        RandomSource& random) const;

  std::vector<Entry> entries_;
  int max_gap_;
};

}  // namespace atomtrack
