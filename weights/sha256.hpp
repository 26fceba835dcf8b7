// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

namespace atomtrack {

/// The SHA-256 digest (FIPS 180-4) of bytes that come in pieces.
class Sha256 {
 public:
  void update(std::span<const std::uint8_t> bytes);
  /// The digest of all bytes so far, as 64 lower-case hexadecimal digits. Ends the message: what is
  /// added afterwards starts a new one.
  std::string finish();

 private:
  using State = std::array<std::uint32_t, 8>;
  static constexpr State initial{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  static void compress(State& state, const std::uint8_t* block);

  State state_ = initial;
  std::array<std::uint8_t, 64> block_{};  // the start of a block that is not full yet
  std::uint64_t length_ = 0;              // bytes so far
};

/// The digest of bytes that are all at hand.
std::string sha256(std::span<const std::uint8_t> bytes);

}  // namespace atomtrack
