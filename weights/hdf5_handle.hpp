// SPDX-License-Identifier: MIT
#pragma once

#include <hdf5.h>

#include <mutex>
#include <utility>

#include "atomtrack/tensor/error.hpp"

namespace atomtrack::hdf5 {

/// An HDF5 identifier, closed when it goes. Throws WeightsError(what) if it is not one.
class Handle {
 public:
  Handle(hid_t id, herr_t (*closer)(hid_t), const std::string& what) : id_(id), close_(closer) {
    require<WeightsError>(id >= 0, what);
  }
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Handle& operator=(Handle&&) = delete;
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }

  operator hid_t() const { return id_; }  // NOLINT: stands for the identifier
  /// Closes now and says whether that worked: a full disk may show only here.
  bool close() { return close_(std::exchange(id_, -1)) >= 0; }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

/// While one lives, this thread alone is in HDF5 (Debian's build is not thread-safe), and HDF5
/// prints no errors of its own.
class Session {
 public:
  Session() : lock_(mutex()) {
    H5Eget_auto2(H5E_DEFAULT, &print_, &print_data_);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  }
  ~Session() { H5Eset_auto2(H5E_DEFAULT, print_, print_data_); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

 private:
  static std::mutex& mutex() {
    static std::mutex instance;
    return instance;
  }

  std::lock_guard<std::mutex> lock_;
  H5E_auto2_t print_ = nullptr;
  void* print_data_ = nullptr;
};

}  // namespace atomtrack::hdf5
