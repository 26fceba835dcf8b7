// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "atomtrack/tensor/device.hpp"
#include "atomtrack/tensor/error.hpp"
#include "atomtrack/tensor/memory.hpp"
#include "atomtrack/tensor/shape.hpp"

namespace atomtrack {

/// A dense row-major array on one device. T is float or double for numbers, std::int32_t for
/// indices and std::uint8_t for frames. A Tensor is a handle: copying it shares the elements;
/// `clone()` copies them. Only `reshape` and `slice` make a tensor that aliases another. A
/// default-constructed or moved-from tensor is empty: `defined()` is false and every other member
/// but assignment throws ShapeError. Different handles may be used from different threads; writing
/// to shared elements is the caller's to order.
template <class T>
class Tensor {
 public:
  Tensor() = default;

  /// Uninitialised elements from the device's pool.
  explicit Tensor(const Shape& shape, Device device = Device::cpu())
      : shape_(shape),
        device_(device),
        block_(device, static_cast<std::size_t>(shape.numel()) * sizeof(T)) {
    data_ = static_cast<T*>(block_.data());
  }

  /// A copy of `values`, in row-major order. Throws ShapeError unless there are `shape.numel()` of
  /// them.
  Tensor(const Shape& shape, std::span<const T> values, Device device = Device::cpu())
      : Tensor(shape, device) {
    require<ShapeError>(static_cast<std::int64_t>(values.size()) == numel(), values.size(),
                        " values for a tensor of shape ", shape);
    device_memory(device_).copy_from_host(data_, values.data(), bytes());
  }
  Tensor(const Shape& shape, std::initializer_list<T> values, Device device = Device::cpu())
      : Tensor(shape, std::span<const T>(values.begin(), values.size()), device) {}

  Tensor(const Tensor&) = default;
  Tensor& operator=(const Tensor&) = default;
  Tensor(Tensor&& other) noexcept { swap(other); }
  Tensor& operator=(Tensor&& other) noexcept {
    Tensor taken(std::move(other));
    swap(taken);
    return *this;
  }
  ~Tensor() = default;

  static Tensor full(const Shape& shape, T value, Device device = Device::cpu()) {
    Tensor result(shape, device);
    if (device.is_host()) {
      std::fill_n(result.data_, result.numel(), value);
    } else if (value == T{0}) {
      device_memory(device).set_zero(result.data_, result.bytes());
    } else {
      const std::vector<T> values(static_cast<std::size_t>(result.numel()), value);
      device_memory(device).copy_from_host(result.data_, values.data(), result.bytes());
    }
    return result;
  }
  static Tensor zeros(const Shape& shape, Device device = Device::cpu()) {
    return full(shape, T{0}, device);
  }
  static Tensor scalar(T value, Device device = Device::cpu()) {
    return full(Shape{}, value, device);
  }

  bool defined() const { return static_cast<bool>(block_); }
  const Shape& shape() const { return checked().shape_; }
  std::int64_t extent(std::ptrdiff_t axis) const { return shape()[axis]; }
  std::size_t rank() const { return shape().rank(); }
  std::int64_t numel() const { return shape().numel(); }
  std::size_t bytes() const { return static_cast<std::size_t>(numel()) * sizeof(T); }
  Device device() const { return checked().device_; }

  /// The first element, in the device's memory: host code may follow the pointer only if
  /// `device().is_host()`.
  T* data() { return checked().data_; }
  const T* data() const { return checked().data_; }
  std::span<T> span() { return {host_data(), static_cast<std::size_t>(numel())}; }
  std::span<const T> span() const { return {host_data(), static_cast<std::size_t>(numel())}; }

  /// The same elements under another shape of as many elements (a view).
  Tensor reshape(const Shape& shape) const {
    require<ShapeError>(shape.numel() == numel(), "cannot reshape ", this->shape(), " to ", shape);
    Tensor view = *this;
    view.shape_ = shape;
    return view;
  }

  /// Entries `start .. start + count - 1` along the leading axis (a view).
  Tensor slice(std::int64_t start, std::int64_t count) const {
    const std::int64_t extent = this->extent(0);
    require<ShapeError>(start >= 0 && count >= 0 && start + count <= extent, "slice ", start, "..",
                        start + count, " of a tensor of shape ", shape());
    Tensor view = *this;
    view.data_ += extent == 0 ? 0 : start * (numel() / extent);
    view.shape_ = shape_.with(0, count);
    return view;
  }

  Tensor clone() const { return to(device()); }

  /// A copy of the elements on `device` (also when it is there already). Waits for the device.
  Tensor to(Device device) const {
    Tensor result(shape(), device);
    if (device_.is_host()) {
      device_memory(device).copy_from_host(result.data_, data_, bytes());
    } else if (device.is_host()) {
      device_memory(device_).copy_to_host(result.data_, data_, bytes());
    } else if (device == device_) {
      device_memory(device).copy_within(result.data_, data_, bytes());
    } else {
      return to(Device::cpu()).to(device);
    }
    return result;
  }

  /// The elements in row-major order, on the host. Waits for the device.
  std::vector<T> to_vector() const {
    std::vector<T> values(static_cast<std::size_t>(numel()));
    device_memory(device_).copy_to_host(values.data(), data_, bytes());
    return values;
  }

  /// The only element. Throws ShapeError unless there is exactly one. Waits for the device.
  T item() const {
    require<ShapeError>(numel() == 1, "item() of a tensor of shape ", shape(),
                        ": expected one element");
    T value{};
    device_memory(device_).copy_to_host(&value, data_, sizeof(T));
    return value;
  }

  /// Whether no other handle shares the elements' memory.
  bool unique() const { return checked().block_.unique(); }
  /// Whether both are views of the same block of memory.
  bool shares_memory_with(const Tensor& other) const {
    return defined() && other.defined() && block_.data() == other.block_.data();
  }

 private:
  const Tensor& checked() const {
    require<ShapeError>(defined(), "use of an empty tensor (default-constructed or moved from)");
    return *this;
  }
  Tensor& checked() {
    require<ShapeError>(defined(), "use of an empty tensor (default-constructed or moved from)");
    return *this;
  }
  T* host_data() const {
    require<DeviceError>(device().is_host(), "host access to a tensor on ", device_);
    return data_;
  }
  void swap(Tensor& other) noexcept {
    std::swap(shape_, other.shape_);
    std::swap(device_, other.device_);
    std::swap(block_, other.block_);
    std::swap(data_, other.data_);
  }

  Shape shape_;
  Device device_;  // not the block's: cpu and reference share the host's pool
  detail::BlockRef block_;
  T* data_ = nullptr;
};

/// A copy with elements of another type, on the same device.
template <class To, class From>
Tensor<To> convert(const Tensor<From>& source) {
  const std::vector<From> values = source.to_vector();
  const std::vector<To> converted(values.begin(), values.end());
  return Tensor<To>(source.shape(), std::span<const To>(converted), source.device());
}

extern template class Tensor<float>;
extern template class Tensor<double>;
extern template class Tensor<std::int32_t>;
extern template class Tensor<std::uint8_t>;

}  // namespace atomtrack
