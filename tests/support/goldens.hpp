// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "atomtrack/tensor/tensor.hpp"

namespace atomtrack::test {

/// One file of recorded numbers in tests/data, made by an independent implementation. Throws
/// std::runtime_error naming the file and the path when something is not there.
class Golden {
 public:
  explicit Golden(const std::string& file);
  ~Golden();
  Golden(const Golden&) = delete;
  Golden& operator=(const Golden&) = delete;

  /// A dataset, converted to T.
  template <class T>
  Tensor<T> tensor(const std::string& path, Device device = Device::cpu()) const;
  /// A numeric attribute of a group or dataset ("/" for the file), all its elements or the only
  /// one.
  std::vector<double> attributes(const std::string& path, const std::string& name) const;
  double attribute(const std::string& path, const std::string& name) const;
  /// The elements of a text attribute.
  std::vector<std::string> texts(const std::string& path, const std::string& name) const;
  /// Names in a group, in alphabetical order.
  std::vector<std::string> children(const std::string& path) const;
  bool has(const std::string& path) const;

 private:
  std::string name_;
  std::int64_t file_ = -1;
};

}  // namespace atomtrack::test
