// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <string>
#include <vector>

#include "atomtrack/tensor/named_tensors.hpp"

namespace atomtrack {

/// What a weights file says of itself besides the tensors (docs/weights.md).
struct WeightsMetadata {
  std::string architecture = "modulation";  ///< how the IoU predictor uses the reference image;
                                            ///< "backbone" if there is none
  bool batch_norm_folded =
      false;  ///< whether the backbone's statistics are folded into its filters
  std::array<double, 3> mean{0.485, 0.456, 0.406};       ///< subtracted from RGB in [0, 1]
  std::array<double, 3> deviation{0.229, 0.224, 0.225};  ///< and divided by
  std::string provenance;  ///< where the numbers come from, and under which terms, in prose
};

struct WeightsFile {
  WeightsMetadata metadata;
  NamedTensors tensors;
};

/// What can be read of a weights file, and all that is wrong with it.
struct WeightsInspection {
  WeightsFile file;
  std::vector<std::string> damage;      ///< one line each; empty if read_weights would succeed
  std::vector<std::string> unreadable;  ///< names of tensors that are in the file but not in `file`
};

enum class WeightsStorage { single, half };

/// Reads a weights file (HDF5). Everything is checked: the seal over the whole file, format and
/// version, each tensor's type, rank, size and SHA-256, and that every number is finite. Throws
/// WeightsError naming the file and what was expected. Thread-safe (one thread at a time is in
/// HDF5; a program that also calls HDF5 itself needs a thread-safe build of it).
WeightsFile read_weights(const std::string& path);

/// Reads a weights file to report on it: wrong checksums, and numbers or tensors that are refused,
/// are listed instead of thrown. For what is not such a file at all, or was changed after it was
/// sealed, it throws as read_weights does (HDF5 itself can crash on damaged files).
WeightsInspection inspect_weights(const std::string& path);

/// Writes a weights file; an existing one is replaced only when the new one is complete. In `half`
/// storage numbers are rounded to 11 significant bits. Throws WeightsError (unwritable, disk full,
/// a name that is no path component, a number that is not finite or too large for half storage).
/// Thread-safe as read_weights is.
void write_weights(const std::string& path, const WeightsFile& file,
                   WeightsStorage storage = WeightsStorage::single);

}  // namespace atomtrack
