// SPDX-License-Identifier: MIT
#include <bit>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <vector>

#include "atomtrack/weights/weights_file.hpp"
#include "weights/envelope.hpp"
#include "weights/format.hpp"
#include "weights/half.hpp"
#include "weights/sha256.hpp"

namespace atomtrack {
namespace {

using hdf5::Handle;

constexpr float largest_half = 65504.0F;

void write_text(hid_t where, const char* name, const std::string& text, const std::string& path) {
  const std::string what = concatenate(path, ": cannot write attribute ", name);
  require<WeightsError>(text.size() <= weights_format::longest_text, path, ": attribute ", name,
                        " is ", text.size(), " bytes long, expected at most ",
                        weights_format::longest_text);
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

/// The numbers as the file holds them, little-endian.
std::vector<std::uint8_t> stored_bytes(const std::vector<float>& values, WeightsStorage storage) {
  static_assert(std::endian::native == std::endian::little);
  const std::size_t size = storage == WeightsStorage::half ? 2 : 4;
  std::vector<std::uint8_t> bytes(values.size() * size);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint16_t half = to_half(values[i]);
    const void* from = size == 2 ? static_cast<const void*>(&half) : &values[i];
    std::memcpy(bytes.data() + i * size, from, size);
  }
  return bytes;
}

void write_tensor(hid_t file, const std::string& name, const Tensor<float>& tensor,
                  WeightsStorage storage, const std::string& path) {
  const std::string what =
      concatenate(path, ": cannot write tensor ", name, " (is the disk full?)");
  require<WeightsError>(!name.empty() && name != "." && name.find('/') == std::string::npos, path,
                        ": '", name, "' cannot be the name of a tensor");
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
  const std::vector<std::uint8_t> bytes = stored_bytes(values, storage);
  require<WeightsError>(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()) >= 0,
                        what);
  write_text(dataset, weights_format::attribute_sha256, sha256(bytes), path);
}

/// The HDF5 file's bytes without its user block. Made in memory: HDF5 cannot close a file that it
/// failed to write (a full disk) and crashes at the program's end.
std::vector<std::uint8_t> contents_of(const WeightsFile& file, WeightsStorage storage,
                                      const std::string& path) {
  constexpr std::size_t growth = 1U << 20;  // bytes
  const std::string what = path + ": HDF5 cannot make the file's contents";
  const Handle creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose, what);
  H5Pset_userblock(creation, weights_format::envelope_size);
  const Handle access = weights_format::file_access();
  H5Pset_fapl_core(access, growth, 0);
  const Handle out(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation, access), H5Fclose, what);
  write_metadata(out, file.metadata, path);
  for (const auto& [name, tensor] : file.tensors) write_tensor(out, name, tensor, storage, path);
  require<WeightsError>(H5Fflush(out, H5F_SCOPE_GLOBAL) >= 0, what);
  const ssize_t size = H5Fget_file_image(out, nullptr, 0);
  require<WeightsError>(size > 0, what);
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size));
  require<WeightsError>(H5Fget_file_image(out, bytes.data(), bytes.size()) == size, what);
  return bytes;
}

}  // namespace

void write_weights(const std::string& path, const WeightsFile& file, WeightsStorage storage) {
  weights_format::check_metadata(file.metadata, path);
  require<WeightsError>(!std::filesystem::is_directory(path), path,
                        ": is a folder, expected the name of a file");
  std::vector<std::uint8_t> contents;
  {
    const hdf5::Session session;
    contents = contents_of(file, storage, path);
  }
  const std::string partial = path + ".partial";
  try {
    std::ofstream out(partial, std::ios::binary);
    require<WeightsError>(out.is_open(), path,
                          ": cannot be created: ", std::generic_category().message(errno));
    out << weights_format::envelope_of(contents);
    out.write(reinterpret_cast<const char*>(contents.data()),
              static_cast<std::streamsize>(contents.size()));
    out.close();
    require<WeightsError>(out.good(), path, ": cannot be written completely (is the disk full?)");
    std::error_code error;
    std::filesystem::rename(partial, path, error);
    require<WeightsError>(!error, path, ": cannot be put in place: ", error.message());
  } catch (...) {
    std::remove(partial.c_str());
    throw;
  }
}

}  // namespace atomtrack
