// SPDX-License-Identifier: MIT
#include "support/goldens.hpp"

#include <hdf5.h>

#include <stdexcept>
#include <type_traits>

namespace atomtrack::test {
namespace {

/// An HDF5 identifier closed by its own function.
class Handle {
 public:
  Handle(hid_t id, herr_t (*close)(hid_t), const std::string& what) : id_(id), close_(close) {
    if (id < 0) throw std::runtime_error("golden: cannot open " + what);
  }
  ~Handle() { close_(id_); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  operator hid_t() const { return id_; }  // NOLINT: stands for the identifier

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

template <class T>
hid_t memory_type() {
  if constexpr (std::is_same_v<T, float>) return H5T_NATIVE_FLOAT;
  if constexpr (std::is_same_v<T, double>) return H5T_NATIVE_DOUBLE;
  if constexpr (std::is_same_v<T, std::int32_t>) return H5T_NATIVE_INT32;
  return H5T_NATIVE_UINT8;
}

}  // namespace

Golden::Golden(const std::string& file) : name_(std::string(ATOMTRACK_TEST_DATA) + "/" + file) {
  file_ = H5Fopen(name_.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  if (file_ < 0) throw std::runtime_error("golden: cannot open " + name_);
}

Golden::~Golden() {
  H5Fclose(file_);
}

template <class T>
Tensor<T> Golden::tensor(const std::string& path, Device device) const {
  const Handle dataset(H5Dopen2(file_, path.c_str(), H5P_DEFAULT), H5Dclose, name_ + ":" + path);
  const Handle space(H5Dget_space(dataset), H5Sclose, path);
  std::vector<hsize_t> extents(static_cast<std::size_t>(H5Sget_simple_extent_ndims(space)));
  H5Sget_simple_extent_dims(space, extents.data(), nullptr);
  Shape shape;
  for (const hsize_t extent : extents) shape = shape.append(static_cast<std::int64_t>(extent));
  std::vector<T> values(static_cast<std::size_t>(shape.numel()));
  const Handle type(H5Dget_type(dataset), H5Tclose, path);
  // h5py stores booleans as an enumeration of bytes.
  const hid_t read_as =
      H5Tget_class(type) == H5T_ENUM ? static_cast<hid_t>(type) : memory_type<T>();
  if (H5Dread(dataset, read_as, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) < 0) {
    throw std::runtime_error("golden: cannot read " + name_ + ":" + path);
  }
  return Tensor<T>(shape, std::span<const T>(values), device);
}

std::vector<double> Golden::attributes(const std::string& path, const std::string& name) const {
  const Handle attribute(
      H5Aopen_by_name(file_, path.c_str(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose,
      name_ + ":" + path + "@" + name);
  const Handle space(H5Aget_space(attribute), H5Sclose, name);
  std::vector<double> values(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space)));
  const Handle type(H5Aget_type(attribute), H5Tclose, name);
  if (H5Tget_class(type) == H5T_ENUM) {  // a boolean, as h5py stores it
    std::vector<std::int8_t> flags(values.size());
    H5Aread(attribute, type, flags.data());
    return {flags.begin(), flags.end()};
  }
  if (H5Aread(attribute, H5T_NATIVE_DOUBLE, values.data()) < 0) {
    throw std::runtime_error("golden: attribute " + name + " of " + path + " is not numeric");
  }
  return values;
}

double Golden::attribute(const std::string& path, const std::string& name) const {
  return attributes(path, name).at(0);
}

std::vector<std::string> Golden::texts(const std::string& path, const std::string& name) const {
  const Handle attribute(
      H5Aopen_by_name(file_, path.c_str(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose,
      name_ + ":" + path + "@" + name);
  const Handle space(H5Aget_space(attribute), H5Sclose, name);
  const Handle type(H5Tcopy(H5T_C_S1), H5Tclose, name);
  H5Tset_size(type, H5T_VARIABLE);
  H5Tset_cset(type, H5T_CSET_UTF8);
  std::vector<char*> raw(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space)));
  if (H5Aread(attribute, type, raw.data()) < 0) {
    throw std::runtime_error("golden: attribute " + name + " of " + path + " is not text");
  }
  std::vector<std::string> texts(raw.begin(), raw.end());
  H5Dvlen_reclaim(type, space, H5P_DEFAULT, raw.data());
  return texts;
}

std::vector<std::string> Golden::children(const std::string& path) const {
  const Handle group(H5Gopen2(file_, path.c_str(), H5P_DEFAULT), H5Gclose, name_ + ":" + path);
  std::vector<std::string> names;
  const auto collect = [](hid_t, const char* child, const H5L_info_t*, void* list) -> herr_t {
    static_cast<std::vector<std::string>*>(list)->emplace_back(child);
    return 0;
  };
  H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, nullptr, collect, &names);
  return names;
}

bool Golden::has(const std::string& path) const {
  return H5Lexists(file_, path.c_str(), H5P_DEFAULT) > 0;
}

template Tensor<float> Golden::tensor(const std::string&, Device) const;
template Tensor<double> Golden::tensor(const std::string&, Device) const;
template Tensor<std::int32_t> Golden::tensor(const std::string&, Device) const;
template Tensor<std::uint8_t> Golden::tensor(const std::string&, Device) const;

}  // namespace atomtrack::test
