// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <vector>

#include "atomtrack/weights/weights_file.hpp"
#include "weights/envelope.hpp"
#include "weights/format.hpp"
#include "weights/half.hpp"
#include "weights/sha256.hpp"

namespace atomtrack {
namespace {

using hdf5::Handle;
using namespace weights_format;

enum class Damage { refused, listed };

class Reader {
 public:
  Reader(const std::string& path, Damage damage)
      : path_(path), treatment_(damage), file_(open(path)) {}

  WeightsInspection read() {
    result_.file.metadata = metadata();
    for (const std::string& name : names()) {
      try {
        result_.file.tensors.emplace(name, tensor(name));
      } catch (const WeightsError& error) {
        if (treatment_ == Damage::refused) throw;
        result_.damage.emplace_back(error.what());
        result_.unreadable.push_back(name);
      }
    }
    return std::move(result_);
  }

 private:
  /// Throws, or notes the damage where it is to be listed.
  template <class... Parts>
  void expect(bool condition, const Parts&... parts) {
    if (condition) return;
    WeightsError error(concatenate(path_, ": ", parts...));
    if (treatment_ == Damage::refused) throw error;
    result_.damage.emplace_back(error.what());
  }

  static Handle open(const std::string& path) {
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    require<WeightsError>(std::filesystem::exists(status), path, ": no such weights file");
    require<WeightsError>(!std::filesystem::is_directory(status), path,
                          ": is a folder, expected a weights file");
    verify_seal(path);
    return {H5Fopen(path.c_str(), H5F_ACC_RDONLY, file_access()), H5Fclose,
            path + ": is not a readable HDF5 file"};
  }

  std::string text(hid_t where, const char* name, const std::string& whose) const {
    const std::string what =
        concatenate(path_, ": ", whose, " lacks the text attribute '", name, "'");
    const Handle attribute(H5Aopen(where, name, H5P_DEFAULT), H5Aclose, what);
    const Handle type(H5Aget_type(attribute), H5Tclose, what);
    const Handle space(H5Aget_space(attribute), H5Sclose, what);
    require<WeightsError>(
        H5Tget_class(type) == H5T_STRING && H5Sget_simple_extent_npoints(space) == 1, what);
    // HDF5 follows the references of variable-length text without looking where they lead.
    require<WeightsError>(H5Tis_variable_str(type) == 0, path_, ": attribute '", name, "' of ",
                          whose, " is text of variable length, expected a fixed length");
    const std::size_t size = H5Tget_size(type);
    require<WeightsError>(size <= longest_text, path_, ": attribute '", name, "' is ", size,
                          " bytes long, expected at most ", longest_text);
    std::string result(size, '\0');
    require<WeightsError>(H5Aread(attribute, type, result.data()) >= 0, what);
    result.resize(std::min(result.find('\0'), result.size()));
    return result;
  }

  template <std::size_t Count>
  std::array<double, Count> numbers(const char* name) const {
    const std::string what =
        concatenate(path_, ": lacks the attribute '", name, "' of ", Count, " numbers");
    const Handle attribute(H5Aopen(file_, name, H5P_DEFAULT), H5Aclose, what);
    const Handle type(H5Aget_type(attribute), H5Tclose, what);
    const Handle space(H5Aget_space(attribute), H5Sclose, what);
    const H5T_class_t kind = H5Tget_class(type);
    require<WeightsError>((kind == H5T_FLOAT || kind == H5T_INTEGER) &&
                              H5Sget_simple_extent_npoints(space) == static_cast<hssize_t>(Count),
                          what);
    std::array<double, Count> values{};
    require<WeightsError>(H5Aread(attribute, H5T_NATIVE_DOUBLE, values.data()) >= 0, what);
    for (const double value : values) require<WeightsError>(std::isfinite(value), what);
    return values;
  }

  WeightsMetadata metadata() const {
    const std::string format = text(file_, attribute_format, "the file");
    require<WeightsError>(format == format_name, path_, ": format '", format, "', expected '",
                          format_name, "'");
    const double version = numbers<1>(attribute_version)[0];
    require<WeightsError>(version == format_version, path_, ": format version ", version,
                          ", this program reads ", format_version);
    WeightsMetadata metadata;
    metadata.architecture = text(file_, attribute_architecture, "the file");
    metadata.batch_norm_folded = numbers<1>(attribute_folded)[0] != 0.0;
    metadata.mean = numbers<3>(attribute_mean);
    metadata.deviation = numbers<3>(attribute_deviation);
    metadata.provenance = text(file_, attribute_provenance, "the file");
    check_metadata(metadata, path_);
    return metadata;
  }

  std::vector<std::string> names() const {
    std::vector<std::string> result;
    struct Visit {
      std::vector<std::string>* names;
      bool only_hard_links = true;
    } visit{&result};
    const auto collect = [](hid_t, const char* name, const H5L_info_t* info, void* data) -> herr_t {
      auto* visited = static_cast<Visit*>(data);
      visited->only_hard_links = visited->only_hard_links && info->type == H5L_TYPE_HARD;
      visited->names->emplace_back(name);
      return 0;
    };
    require<WeightsError>(
        H5Literate(file_, H5_INDEX_NAME, H5_ITER_INC, nullptr, collect, &visit) >= 0, path_,
        ": its list of tensors cannot be read");
    require<WeightsError>(visit.only_hard_links, path_,
                          ": holds links to elsewhere, expected only tensors");
    return result;
  }

  Shape shape_of(hid_t dataset, const std::string& name) {
    const Handle space(H5Dget_space(dataset), H5Sclose,
                       concatenate(path_, ": tensor ", name, " cannot be read"));
    const int rank = H5Sget_simple_extent_ndims(space);
    require<WeightsError>(H5Sget_simple_extent_type(space) != H5S_NULL && rank >= 0 &&
                              rank <= static_cast<int>(Shape::max_rank),
                          path_, ": tensor ", name, " has ", rank, " axes, expected at most ",
                          Shape::max_rank);
    std::array<hsize_t, Shape::max_rank> extents{};
    H5Sget_simple_extent_dims(space, extents.data(), nullptr);
    Shape shape;
    for (int i = 0; i < rank; ++i) {
      const hsize_t extent = extents[static_cast<std::size_t>(i)];
      require<WeightsError>(extent <= largest_tensor &&
                                shape.numel() * static_cast<long long>(extent) <= largest_tensor,
                            path_, ": tensor ", name, " is larger than ", largest_tensor,
                            " numbers");
      shape = shape.append(static_cast<std::int64_t>(extent));
    }
    total_ += shape.numel();
    require<WeightsError>(total_ <= largest_total, path_, ": holds more than ", largest_total,
                          " numbers");
    return shape;
  }

  /// Only plain, chunked and compressed storage inside the file itself. `rank` is the dataset's.
  void check_storage(hid_t dataset, const std::string& name, std::size_t rank) const {
    const std::string what =
        concatenate(path_, ": tensor ", name, " is stored in a way that is not accepted");
    const Handle properties(H5Dget_create_plist(dataset), H5Pclose, what);
    require<WeightsError>(H5Pget_external_count(properties) == 0, what, " (external file)");
    const H5D_layout_t layout = H5Pget_layout(properties);
    require<WeightsError>(
        layout == H5D_COMPACT || layout == H5D_CONTIGUOUS || layout == H5D_CHUNKED, what,
        " (layout)");
    if (layout == H5D_CHUNKED) {
      std::array<hsize_t, Shape::max_rank> chunk{};
      require<WeightsError>(H5Pget_chunk(properties, static_cast<int>(chunk.size()),
                                         chunk.data()) == static_cast<int>(rank),
                            what, " (chunks)");
      long long elements = 1;
      for (std::size_t i = 0; i < rank; ++i) {
        require<WeightsError>(chunk[i] > 0 && chunk[i] <= largest_tensor &&
                                  elements * static_cast<long long>(chunk[i]) <= largest_tensor,
                              what, " (chunks)");
        elements *= static_cast<long long>(chunk[i]);
      }
    }
    const int filters = H5Pget_nfilters(properties);
    for (int i = 0; i < filters; ++i) {
      unsigned flags = 0;
      unsigned configuration = 0;
      std::size_t values = 0;
      const H5Z_filter_t filter = H5Pget_filter2(properties, static_cast<unsigned>(i), &flags,
                                                 &values, nullptr, 0, nullptr, &configuration);
      require<WeightsError>(filter == H5Z_FILTER_DEFLATE || filter == H5Z_FILTER_SHUFFLE ||
                                filter == H5Z_FILTER_FLETCHER32,
                            what, " (filter ", filter, ")");
    }
  }

  Tensor<float> tensor(const std::string& name) {
    const std::string what = concatenate(path_, ": tensor ", name, " cannot be read");
    const Handle dataset(H5Dopen2(file_, name.c_str(), H5P_DEFAULT), H5Dclose,
                         concatenate(path_, ": ", name, " is not a tensor"));
    const Handle type(H5Dget_type(dataset), H5Tclose, what);
    const std::size_t size = H5Tget_size(type);
    // Exactly these two: the digest covers the bytes, not how a type of other making would read
    // them.
    const bool plain = H5Tequal(type, H5T_IEEE_F32LE) > 0 || H5Tequal(type, half_type()) > 0;
    require<WeightsError>(plain, path_, ": tensor ", name,
                          " is not of half or single precision, little-endian");
    const Shape shape = shape_of(dataset, name);
    check_storage(dataset, name, shape.rank());
    const auto count = static_cast<std::size_t>(shape.numel());
    std::vector<std::uint8_t> bytes(std::max<std::size_t>(count * 4, 4));
    require<WeightsError>(H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()) >= 0,
                          what);
    const std::string digest = sha256({bytes.data(), count * size});
    const std::string stored = text(dataset, attribute_sha256, concatenate("tensor ", name));
    expect(digest == stored, "tensor ", name, " is damaged: SHA-256 ", digest, ", expected ",
           stored);
    Tensor<float> result(shape);
    if (size == sizeof(float)) {
      std::memcpy(result.data(), bytes.data(), count * size);
    } else {
      for (std::size_t i = 0; i < count; ++i) {
        std::uint16_t half = 0;
        std::memcpy(&half, bytes.data() + i * size, size);
        result.data()[i] = from_half(half);
      }
    }
    const auto values = result.span();
    const auto wrong = std::find_if(values.begin(), values.end(),
                                    [](float value) { return !std::isfinite(value); });
    if (wrong != values.end()) {
      expect(false, "tensor ", name, " holds ", *wrong, ", expected finite numbers");
    }
    return result;
  }

  std::string path_;
  Damage treatment_;
  WeightsInspection result_;
  Handle file_;
  long long total_ = 0;
};

}  // namespace

WeightsFile read_weights(const std::string& path) {
  const hdf5::Session session;
  return Reader(path, Damage::refused).read().file;
}

WeightsInspection inspect_weights(const std::string& path) {
  const hdf5::Session session;
  return Reader(path, Damage::listed).read();
}

}  // namespace atomtrack
