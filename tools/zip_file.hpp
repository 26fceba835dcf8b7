// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

namespace atomtrack::tools {

/// A ZIP archive of stored (not compressed) files, as the servers of TrackingNet and GOT-10k take
/// results. Up to 2 GiB and 65,534 files.
class ZipFile {
 public:
  /// Throws InputError beyond these limits.
  void add(const std::string& name, const std::string& bytes);
  bool empty() const { return count_ == 0; }
  /// Throws InputError (unwritable, disk full).
  void write(const std::string& path) const;

 private:
  std::string files_, directory_;
  std::uint32_t count_ = 0;
};

}  // namespace atomtrack::tools
