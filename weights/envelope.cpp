// SPDX-License-Identifier: MIT
#include "weights/envelope.hpp"

#include <filesystem>
#include <fstream>
#include <vector>

#include "atomtrack/tensor/error.hpp"
#include "weights/sha256.hpp"

namespace atomtrack::weights_format {
namespace {

constexpr std::uintmax_t largest_file = 4ULL << 30;  // bytes

std::string envelope_for(const std::string& digest) {
  std::string text = "atomtrack-weights\nsha256 " + digest + "\n";
  text.resize(envelope_size, '\0');
  return text;
}

struct Contents {
  std::string envelope;
  std::string digest;  // of what follows it
};

Contents read_contents(const std::string& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  require<WeightsError>(!error && size > envelope_size && size <= largest_file, path,
                        ": is not a weights file (empty, or of an impossible size)");
  std::ifstream file(path, std::ios::binary);
  std::vector<std::uint8_t> bytes(size);
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size));
  require<WeightsError>(file.good(), path, ": cannot be read");
  const auto body = bytes.begin() + envelope_size;
  return {std::string(bytes.begin(), body),
          sha256({bytes.data() + envelope_size, bytes.size() - envelope_size})};
}

}  // namespace

void seal(const std::string& path) {
  const std::string text = envelope_for(read_contents(path).digest);
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.write(text.data(), envelope_size);
  file.close();
  require<WeightsError>(file.good(), path, ": cannot be written completely (is the disk full?)");
}

void verify_seal(const std::string& path) {
  const Contents contents = read_contents(path);
  require<WeightsError>(contents.envelope.starts_with("atomtrack-weights\n"), path,
                        ": is not a weights file of atomtrack");
  require<WeightsError>(contents.envelope == envelope_for(contents.digest), path,
                        ": is damaged or truncated (the SHA-256 digest of its contents differs)");
}

}  // namespace atomtrack::weights_format
