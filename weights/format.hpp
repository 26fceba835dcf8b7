// SPDX-License-Identifier: MIT
#pragma once

#include "atomtrack/weights/weights_file.hpp"
#include "weights/hdf5_handle.hpp"

namespace atomtrack::weights_format {

// The names and limits of the file format, shared by reader and writer (docs/weights.md).

constexpr const char* format_name = "atomtrack-weights";
constexpr int format_version = 1;
constexpr const char* attribute_format = "format";
constexpr const char* attribute_version = "format_version";
constexpr const char* attribute_architecture = "architecture";
constexpr const char* attribute_folded = "batch_norm_folded";
constexpr const char* attribute_mean = "mean";
constexpr const char* attribute_deviation = "deviation";
constexpr const char* attribute_provenance = "provenance";
constexpr const char* attribute_sha256 = "sha256";

// A hostile file must not make us allocate without bound. The full network is 17 million numbers.
constexpr long long largest_tensor = 1LL << 26;  // elements
constexpr long long largest_total = 1LL << 28;   // elements
constexpr std::size_t longest_text = 60000;      // bytes; HDF5 keeps an attribute below 64 KiB

/// IEEE 754 binary16, little-endian.
hdf5::Handle half_type();

/// How files are opened and made: closing one closes whatever is still open in it (HDF5 may leave
/// something behind in a damaged file), and there are no locks, which network file systems refuse.
hdf5::Handle file_access();

/// Throws WeightsError for a normalisation that no input could have. `path` is for the message.
void check_metadata(const WeightsMetadata& metadata, const std::string& path);

}  // namespace atomtrack::weights_format
