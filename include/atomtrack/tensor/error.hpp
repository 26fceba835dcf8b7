// SPDX-License-Identifier: MIT
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace atomtrack {

/// The base of everything that atomtrack throws. `what()` is one line: what was expected, what
/// came.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Tensors whose shapes do not fit the operation.
class ShapeError : public Error {
 public:
  using Error::Error;
};

/// An argument, file or option that cannot be used.
class InputError : public Error {
 public:
  using Error::Error;
};

/// A weights file that is missing, damaged, or not the network that was asked for.
class WeightsError : public Error {
 public:
  using Error::Error;
};

/// A device that is absent, out of memory, or whose library refused a call.
class DeviceError : public Error {
 public:
  using Error::Error;
};

/// A device that has no memory left for what was asked.
class OutOfMemoryError : public DeviceError {
 public:
  using DeviceError::DeviceError;
};

/// Writes its arguments one after another into a string: the way messages are built here.
template <class... Parts>
std::string concatenate(const Parts&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  return text.str();
}

/// Throws `E` with a message made of `parts` unless `condition` holds.
template <class E, class... Parts>
void require(bool condition, const Parts&... parts) {
  if (!condition) throw E(concatenate(parts...));
}

}  // namespace atomtrack
