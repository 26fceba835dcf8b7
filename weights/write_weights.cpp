// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <vector>

#include "atomtrack/weights/weights_file.hpp"
#include "weights/envelope.hpp"
#include "weights/format.hpp"
#include "weights/sha256.hpp"

namespace atomtrack {
namespace {

using hdf5::Handle;

constexpr float largest_half = 65504.0F;

void write_text(hid_t where, const char* name, const std::string& text, const std::string& path) {
  const std::string what = concatenate(path, ": cannot write attribute ", name);
  const Handle type(H5Tcopy(H5T_C_S1), H5Tclose, what);
  H5Tset_size(type, std::max<std::size_t>(1, text.size()));
  H5Tset_cset(type, H5T_CSET_UTF8);
  const Handle space(H5Screate(H5S_SCALAR), H5Sclose, what);
  const Handle attribute(H5Acreate2(where, name, type, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose,
                         what);
  require<WeightsError>(H5Awrite(attribute, type, text.c_str()) >= 0, what);
}

void write_numbers(hid_t where, const char* name, std::span<const double> values,
                   const std::string& path) {
  const std::string what = concatenate(path, ": cannot write attribute ", name);
  const hsize_t count = values.size();
  const Handle space(H5Screate_simple(1, &count, nullptr), H5Sclose, what);
  const Handle attribute(H5Acreate2(where, name, H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT),
                         H5Aclose, what);
  require<WeightsError>(H5Awrite(attribute, H5T_NATIVE_DOUBLE, values.data()) >= 0, what);
}

void write_metadata(hid_t file, const WeightsMetadata& metadata, const std::string& path) {
  using namespace weights_format;
  const double version = format_version;
  const double folded = metadata.batch_norm_folded ? 1.0 : 0.0;
  write_text(file, attribute_format, format_name, path);
  write_numbers(file, attribute_version, {&version, 1}, path);
  write_text(file, attribute_architecture, metadata.architecture, path);
  write_numbers(file, attribute_folded, {&folded, 1}, path);
  write_numbers(file, attribute_mean, metadata.mean, path);
  write_numbers(file, attribute_deviation, metadata.deviation, path);
  write_text(file, attribute_provenance, metadata.provenance, path);
}

void write_tensor(hid_t file, const std::string& name, const Tensor<float>& tensor,
                  WeightsStorage storage, const std::string& path) {
  const std::string what =
      concatenate(path, ": cannot write tensor ", name, " (is the disk full?)");
  const std::vector<float> values = tensor.to_vector();
  for (const float value : values) {
    require<WeightsError>(std::isfinite(value), path, ": tensor ", name, " holds ", value,
                          ": expected finite numbers");
    require<WeightsError>(storage == WeightsStorage::single || std::abs(value) <= largest_half,
                          path, ": tensor ", name, " holds ", value,
                          ", too large for half storage (", largest_half, ")");
  }
  const std::vector<hsize_t> extents(tensor.shape().begin(), tensor.shape().end());
  const Handle space(
      extents.empty() ? H5Screate(H5S_SCALAR)
                      : H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr),
      H5Sclose, what);
  const Handle type(storage == WeightsStorage::half
                        ? weights_format::half_type()
                        : Handle(H5Tcopy(H5T_IEEE_F32LE), H5Tclose, what));
  const Handle dataset(
      H5Dcreate2(file, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Dclose,
      what);
  require<WeightsError>(
      H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) >= 0, what);
  // The digest is of the bytes as stored.
  std::vector<std::uint8_t> bytes(std::max<std::size_t>(values.size() * 4, 4));
  std::copy_n(reinterpret_cast<const std::uint8_t*>(values.data()), values.size() * 4,
              bytes.data());
  require<WeightsError>(
      H5Tconvert(H5T_NATIVE_FLOAT, type, values.size(), bytes.data(), nullptr, H5P_DEFAULT) >= 0,
      what);
  bytes.resize(values.size() * H5Tget_size(type));
  write_text(dataset, weights_format::attribute_sha256, sha256(bytes), path);
}

}  // namespace

hdf5::Handle weights_format::half_type() {
  Handle type(H5Tcopy(H5T_IEEE_F32LE), H5Tclose, "HDF5: cannot make the half-precision type");
  H5Tset_fields(type, 15, 10, 5, 0, 10);
  H5Tset_size(type, 2);
  H5Tset_ebias(type, 15);
  return type;
}

void write_weights(const std::string& path, const WeightsFile& file, WeightsStorage storage) {
  const hdf5::Session session;
  const std::string partial = path + ".partial";
  try {
    const Handle creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose,
                          "HDF5: cannot make creation properties");
    H5Pset_userblock(creation, weights_format::envelope_size);
    Handle out(H5Fcreate(partial.c_str(), H5F_ACC_TRUNC, creation, H5P_DEFAULT), H5Fclose,
               concatenate(path, ": cannot be created"));
    write_metadata(out, file.metadata, path);
    for (const auto& [name, tensor] : file.tensors) write_tensor(out, name, tensor, storage, path);
    const bool complete = H5Fflush(out, H5F_SCOPE_GLOBAL) >= 0 && out.close();
    require<WeightsError>(complete, path, ": cannot be written completely (is the disk full?)");
    weights_format::seal(partial);
    std::error_code error;
    std::filesystem::rename(partial, path, error);
    require<WeightsError>(!error, path, ": cannot be put in place: ", error.message());
  } catch (...) {
    std::remove(partial.c_str());
    throw;
  }
}

}  // namespace atomtrack
