// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace atomtrack::weights_format {

// A weights file starts with a user block of 512 bytes, which HDF5 skips: its name and the SHA-256
// digest of all that follows. It is verified before HDF5 sees a byte: HDF5 is not made to survive
// damaged files, and some crash it.

constexpr int envelope_size = 512;

/// The user block of a file with these contents after it.
std::string envelope_of(std::span<const std::uint8_t> contents);

/// Computes the digest of a complete HDF5 file with a user block and writes it there. Throws
/// WeightsError.
void seal(const std::string& path);

/// Throws WeightsError unless the file is sealed and unchanged since. Reads it in pieces, whatever
/// its size.
void verify_seal(const std::string& path);

}  // namespace atomtrack::weights_format
