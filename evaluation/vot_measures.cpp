// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <limits>

#include "atomtrack/evaluation/vot.hpp"
#include "atomtrack/tensor/error.hpp"

namespace atomtrack::vot {
namespace {

using Kind = FrameResult::Kind;

/// From an initialisation to the failure that ended it, or to the end of the sequence.
struct Fragment {
  std::vector<double> overlaps;  ///< of the frames after the initialisation
  bool failed = false;           ///< overlap counts as 0 from here on
};

/// A run taken apart.
struct Run {
  std::vector<Fragment> fragments;
  double overlap_sum = 0.0;  ///< of the frames that count for the accuracy
  int valid_frames = 0;
  int failures = 0;
};

Run examine(const SequenceRuns& sequence, const Trajectory& trajectory,
            const MeasureOptions& options) {
  Run run;
  int since_start = 0;
  for (std::size_t i = 0; i < trajectory.size(); ++i, ++since_start) {
    const FrameResult& frame = trajectory[i];
    if (frame.kind == Kind::initialized) {
      run.fragments.emplace_back();
      since_start = 0;
      continue;
    }
    const bool running = !run.fragments.empty() && !run.fragments.back().failed;
    if (frame.kind == Kind::failed) {
      ++run.failures;
      if (running) run.fragments.back().failed = true;
    } else if (frame.kind == Kind::tracked && running) {
      const double value =
          region_overlap(frame.region, sequence.annotations[i], sequence.image, options.overlap);
      run.fragments.back().overlaps.push_back(value);
      if (since_start >= options.burn_in) {
        run.overlap_sum += value;
        ++run.valid_frames;
      }
    }
  }
  return run;
}

/// The mean over fragments of the mean overlap over their first n frames, for n = 0 .. longest - 1;
/// a fragment counts for n if it has as many frames or ended with a failure.
std::vector<double> expected_overlaps(const std::vector<Fragment>& fragments, std::size_t longest) {
  std::vector<double> sums(longest, 0.0);
  std::vector<int> counts(longest, 0);
  for (const Fragment& fragment : fragments) {
    double sum = 0.0;
    const std::size_t reach = fragment.failed ? longest - 1 : fragment.overlaps.size();
    for (std::size_t n = 1; n <= reach; ++n) {
      sum += n <= fragment.overlaps.size() ? fragment.overlaps[n - 1] : 0.0;
      sums[n] += sum / static_cast<double>(n);
      ++counts[n];
    }
  }
  for (std::size_t n = 1; n < longest; ++n) {
    if (counts[n] > 0) sums[n] /= counts[n];
  }
  return sums;
}

void check(const SequenceRuns& sequence) {
  require<InputError>(!sequence.repetitions.empty(), "VOT: a sequence without stored runs");
  for (const Trajectory& run : sequence.repetitions) {
    require<InputError>(!run.empty() && run.size() == sequence.annotations.size(), "VOT: a run of ",
                        run.size(), " frames for a sequence of ", sequence.annotations.size());
  }
}

}  // namespace

VotMeasures measure(std::span<const SequenceRuns> sequences, const MeasureOptions& options) {
  require<InputError>(!sequences.empty(), "VOT: no sequences");
  require<InputError>(options.low >= 1 && options.low <= options.high, "VOT: the interval [",
                      options.low, ", ", options.high, "]: expected 1 <= low <= high");
  VotMeasures result;
  std::vector<Fragment> fragments;
  std::size_t longest = 0;
  double frames = 0.0, failures = 0.0;
  for (const SequenceRuns& sequence : sequences) {
    check(sequence);
    const double length = static_cast<double>(sequence.annotations.size());
    const double repetitions = static_cast<double>(sequence.repetitions.size());
    double accuracy = 0.0, failed = 0.0;
    for (const Trajectory& trajectory : sequence.repetitions) {
      Run run = examine(sequence, trajectory, options);
      if (run.valid_frames > 0) accuracy += run.overlap_sum / run.valid_frames;
      failed += run.failures;
      std::move(run.fragments.begin(), run.fragments.end(), std::back_inserter(fragments));
    }
    result.accuracy += length * accuracy / repetitions;
    result.failures += length * failed / repetitions;
    failures += failed / repetitions;
    frames += length;
    longest = std::max(longest, sequence.annotations.size());
  }
  result.accuracy /= frames;
  result.failures /= frames;
  result.failures_per_100 = 100 * failures / frames;
  const double mean_length = frames / static_cast<double>(sequences.size());
  result.reliability = std::exp(-options.sensitivity * result.failures / mean_length);
  result.expected_overlap = expected_overlaps(fragments, longest);
  const std::size_t low = static_cast<std::size_t>(options.low);
  const std::size_t end = std::min(static_cast<std::size_t>(options.high) + 1, longest);
  for (std::size_t n = low; n < end; ++n)
    result.expected_average_overlap += result.expected_overlap[n] / static_cast<double>(end - low);
  return result;
}

}  // namespace atomtrack::vot
