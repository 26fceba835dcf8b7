// SPDX-License-Identifier: MIT
#include "weights/envelope.hpp"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <vector>

#include "atomtrack/tensor/error.hpp"
#include "weights/sha256.hpp"

namespace atomtrack::weights_format {
namespace {

constexpr std::uintmax_t largest_file = 2ULL << 30;  // bytes
constexpr std::size_t piece_size = 1U << 16;         // bytes
constexpr const char* first_line = "atomtrack-weights\n";
constexpr const char* hdf5_signature = "\x89HDF\r\n\x1a\n";

std::string envelope_for(const std::string& digest) {
  std::string text = concatenate(first_line, "sha256 ", digest, "\n");
  text.resize(envelope_size, '\0');
  return text;
}

/// The file, open after its envelope, which goes to `envelope`.
std::ifstream open_body(const std::string& path, std::string& envelope) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  require<WeightsError>(!error, path, ": cannot be read: ", error.message());
  require<WeightsError>(size > 0, path, ": is empty, expected a weights file");
  require<WeightsError>(size <= largest_file, path, ": is ", size,
                        " bytes long, too large for a weights file (", largest_file, ")");
  std::ifstream file(path, std::ios::binary);
  require<WeightsError>(file.is_open(), path,
                        ": cannot be opened: ", std::generic_category().message(errno));
  envelope.resize(envelope_size);
  file.read(envelope.data(), envelope_size);
  envelope.resize(static_cast<std::size_t>(file.gcount()));
  return file;
}

std::string digest_of_rest(std::ifstream& file, const std::string& path) {
  Sha256 hash;
  std::vector<char> piece(piece_size);
  while (file) {
    file.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    hash.update({reinterpret_cast<const std::uint8_t*>(piece.data()),
                 static_cast<std::size_t>(file.gcount())});
  }
  require<WeightsError>(file.eof() && !file.bad(), path, ": cannot be read");
  return hash.finish();
}

}  // namespace

std::string envelope_of(std::span<const std::uint8_t> contents) {
  return envelope_for(sha256(contents));
}

void seal(const std::string& path) {
  std::string envelope;
  std::ifstream body = open_body(path, envelope);
  const std::string text = envelope_for(digest_of_rest(body, path));
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.write(text.data(), envelope_size);
  file.close();
  require<WeightsError>(file.good(), path, ": cannot be written completely (is the disk full?)");
}

void verify_seal(const std::string& path) {
  std::string envelope;
  std::ifstream body = open_body(path, envelope);
  require<WeightsError>(!envelope.starts_with(hdf5_signature), path,
                        ": is an HDF5 file without the seal of a weights file (convert it with "
                        "tools/convert_weights.py)");
  require<WeightsError>(envelope.starts_with(first_line), path,
                        ": is not a weights file of atomtrack");
  require<WeightsError>(envelope == envelope_for(digest_of_rest(body, path)), path,
                        ": is damaged, truncated, or was changed after it was made (the SHA-256 "
                        "digest of its contents differs)");
}

}  // namespace atomtrack::weights_format
