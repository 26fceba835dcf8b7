// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include "atomtrack/tensor/error.hpp"
#include "atomtrack/tensor/random.hpp"

namespace atomtrack::test {

namespace fs = std::filesystem;

/// A folder of its own that goes with the test.
class Folder {
 public:
  Folder()
      : path_(fs::temp_directory_path() /
              ("atomtrack-datasets-" +
               std::to_string(RandomSource(reinterpret_cast<std::uintptr_t>(this)).bits()))) {
    fs::create_directories(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string root() const { return path_.string(); }
  void write(const std::string& name, const std::string& text) const {
    fs::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name) << text;
  }
  void images(const std::string& folder, int first, int last, int digits,
              const std::string& extension = ".jpg") const {
    for (int i = first; i <= last; ++i) {
      std::string number = std::to_string(i);
      number.insert(
          0, static_cast<std::size_t>(std::max(0, digits - static_cast<int>(number.size()))), '0');
      write(folder + "/" + number + extension, "");
    }
  }

 private:
  fs::path path_;
};

/// The message with which something is refused, or nothing.
template <class F>
std::string refusal(F f) {
  try {
    f();
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

}  // namespace atomtrack::test
