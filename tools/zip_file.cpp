// SPDX-License-Identifier: MIT
#include "tools/zip_file.hpp"

#include "atomtrack/tensor/error.hpp"
#include "tools/output.hpp"

namespace atomtrack::tools {
namespace {

// PKWARE's APPNOTE.TXT, sections 4.3.7 (local file header), 4.3.12 and 4.3.16 (directory).
constexpr std::uint32_t local_header = 0x04034b50, central_header = 0x02014b50,
                        end_of_directory = 0x06054b50;
constexpr std::uint32_t version = 10;          // 1.0: stored files
constexpr std::uint32_t first_of_1980 = 0x21;  // the earliest date that can be written

void put(std::string& to, std::uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) to.push_back(static_cast<char>((value >> (8 * i)) & 0xFFU));
}

/// Reflected CRC-32 of polynomial 0x04C11DB7.
std::uint32_t crc32(const std::string& bytes) {
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? 0xEDB88320U : 0U);
  }
  return ~crc;
}

}  // namespace

void ZipFile::add(const std::string& name, const std::string& bytes) {
  constexpr std::size_t most_bytes = 0xFFFFFFFFU, most_files = 0xFFFFU;
  require<InputError>(count_ < most_files && name.size() < most_files &&
                          files_.size() + bytes.size() + directory_.size() < most_bytes / 2,
                      "an archive of more than 2 GiB or 65,535 files cannot be written");
  const auto offset = static_cast<std::uint32_t>(files_.size());
  std::string common;  // what both headers say
  put(common, version, 2);
  put(common, 0, 2);  // flags
  put(common, 0, 2);  // method: stored
  put(common, 0, 2);  // time
  put(common, first_of_1980, 2);
  put(common, crc32(bytes), 4);
  put(common, static_cast<std::uint32_t>(bytes.size()), 4);
  put(common, static_cast<std::uint32_t>(bytes.size()), 4);
  put(common, static_cast<std::uint32_t>(name.size()), 2);
  put(common, 0, 2);  // extra field
  put(files_, local_header, 4);
  files_ += common + name + bytes;
  put(directory_, central_header, 4);
  put(directory_, version, 2);
  directory_ += common;
  put(directory_, 0, 2);  // comment
  put(directory_, 0, 2);  // disk
  put(directory_, 0, 2);  // internal attributes
  put(directory_, 0, 4);  // external attributes
  put(directory_, offset, 4);
  directory_ += name;
  ++count_;
}

void ZipFile::write(const std::string& path) const {
  std::string archive = files_ + directory_;
  put(archive, end_of_directory, 4);
  put(archive, 0, 4);  // disks
  put(archive, count_, 2);
  put(archive, count_, 2);
  put(archive, static_cast<std::uint32_t>(directory_.size()), 4);
  put(archive, static_cast<std::uint32_t>(files_.size()), 4);
  put(archive, 0, 2);  // comment
  write_text_file(path, archive);
}

}  // namespace atomtrack::tools
