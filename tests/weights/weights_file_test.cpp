// SPDX-License-Identifier: MIT
#include "atomtrack/weights/weights_file.hpp"

#include <doctest/doctest.h>
#include <hdf5.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <thread>
#include <vector>

#include "atomtrack/layers/iou_predictor.hpp"
#include "atomtrack/tensor/random.hpp"
#include "atomtrack/tracker/model.hpp"
#include "support/compare.hpp"
#include "weights/envelope.hpp"
#include "weights/sha256.hpp"

using namespace atomtrack;

namespace {

namespace fs = std::filesystem;

/// A folder of its own that goes with the test.
class Folder {
 public:
  Folder()
      : path_(fs::temp_directory_path() /
              ("atomtrack-weights-" +
               std::to_string(RandomSource(reinterpret_cast<std::uintptr_t>(this)).bits()))) {
    fs::create_directories(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  fs::path path_;
};

WeightsFile small_file() {
  WeightsFile file;
  file.metadata.provenance = "made by a test";
  file.metadata.batch_norm_folded = true;
  file.metadata.mean = {0.1, 0.2, 0.3};
  file.tensors.emplace("a.weight",
                       Tensor<float>(Shape{2, 3}, {1.0F, -2.5F, 3.25F, 0.1F, 1e-3F, 1000.0F}));
  file.tensors.emplace("b.bias", Tensor<float>(Shape{2}, {0.5F, -0.5F}));
  file.tensors.emplace("scalar", Tensor<float>::scalar(4.0F));
  return file;
}

std::vector<char> bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_bytes(const std::string& path, const std::vector<char>& bytes) {
  std::ofstream(path, std::ios::binary)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

}  // namespace

TEST_CASE("SHA-256 gives the standard's digests") {
  const auto digest = [](const std::string& text) {
    return sha256({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  };
  CHECK(digest("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(digest(std::string(1000000, 'a')) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("what is written is read back") {
  const Folder folder;
  const WeightsFile written = small_file();
  for (const WeightsStorage storage : {WeightsStorage::single, WeightsStorage::half}) {
    write_weights(folder.file("w.h5"), written, storage);
    const WeightsFile read = read_weights(folder.file("w.h5"));
    CHECK(read.metadata.provenance == written.metadata.provenance);
    CHECK(read.metadata.architecture == "modulation");
    CHECK(read.metadata.batch_norm_folded);
    CHECK(read.metadata.mean == written.metadata.mean);
    REQUIRE(read.tensors.size() == written.tensors.size());
    for (const auto& [name, tensor] : written.tensors) {
      CAPTURE(name);
      CHECK(test::relative_difference(read.tensors.at(name), tensor) <=
            (storage == WeightsStorage::half ? 5e-4 : 0.0));
    }
  }
}

TEST_CASE("numbers that cannot be stored are refused, and the old file stays") {
  const Folder folder;
  const std::string path = folder.file("w.h5");
  write_weights(path, small_file());
  const auto before = bytes_of(path);
  WeightsFile bad = small_file();
  bad.tensors.at("b.bias").data()[1] = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_AS(write_weights(path, bad), WeightsError);
  bad.tensors.at("b.bias").data()[1] = 1e6F;
  CHECK_THROWS_AS(write_weights(path, bad, WeightsStorage::half), WeightsError);
  CHECK(bytes_of(path) == before);
  CHECK_FALSE(fs::exists(path + ".partial"));
  CHECK_THROWS_AS(write_weights(folder.file("no/such/folder/w.h5"), small_file()), WeightsError);
}

TEST_CASE("files that are not weights are refused") {
  const Folder folder;
  CHECK_THROWS_AS(read_weights(folder.file("missing.h5")), WeightsError);
  CHECK_THROWS_AS(read_weights(fs::path(folder.file("x")).parent_path().string()), WeightsError);
  write_bytes(folder.file("empty.h5"), {});
  CHECK_THROWS_AS(read_weights(folder.file("empty.h5")), WeightsError);
  write_bytes(folder.file("text.h5"), std::vector<char>(5000, 'x'));
  CHECK_THROWS_AS(read_weights(folder.file("text.h5")), WeightsError);
}

TEST_CASE("a truncated or changed file is refused before HDF5 sees it") {
  const Folder folder;
  const std::string path = folder.file("w.h5");
  write_weights(path, small_file());
  const auto whole = bytes_of(path);
  const std::string damaged = folder.file("d.h5");
  for (std::size_t length = 0; length < whole.size(); length += 97) {
    write_bytes(damaged, {whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)});
    CHECK_THROWS_AS(read_weights(damaged), WeightsError);
  }
  RandomSource random(8);
  for (int i = 0; i < 400; ++i) {
    auto bytes = whole;
    for (int k = 0; k < 1 + i % 3; ++k) {
      bytes[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(bytes.size())))] =
          static_cast<char>(random.bits());
    }
    write_bytes(damaged, bytes);
    if (bytes == whole) continue;
    CHECK_THROWS_AS(read_weights(damaged), WeightsError);
  }
}

TEST_CASE("another format version and links to elsewhere are refused") {
  const Folder folder;
  const std::string path = folder.file("w.h5");
  const auto change = [&](auto f) {
    write_weights(path, small_file());
    const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    f(file);
    H5Fclose(file);
    CHECK_THROWS_AS(read_weights(path), WeightsError);  // changed since it was sealed
    weights_format::seal(path);
    CHECK_THROWS_AS(read_weights(path), WeightsError);
  };
  change([](hid_t file) {
    const hid_t attribute = H5Aopen(file, "format_version", H5P_DEFAULT);
    const double version = 2.0;
    H5Awrite(attribute, H5T_NATIVE_DOUBLE, &version);
    H5Aclose(attribute);
  });
  change([](hid_t file) {
    H5Lcreate_external("/etc/hosts", "/", file, "outside", H5P_DEFAULT, H5P_DEFAULT);
  });
  change([](hid_t file) { H5Lcreate_soft("/a.weight", file, "soft", H5P_DEFAULT, H5P_DEFAULT); });
  change([](hid_t file) {
    H5Gclose(H5Gcreate2(file, "group", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  });
  change([](hid_t file) { H5Adelete_by_name(file, "b.bias", "sha256", H5P_DEFAULT); });
  change([](hid_t file) {  // far too large, and not stored at all
    const hsize_t huge[2] = {1ULL << 40, 1ULL << 20};
    const hid_t space = H5Screate_simple(2, huge, nullptr),
                properties = H5Pcreate(H5P_DATASET_CREATE);
    const hsize_t chunk[2] = {1, 1024};
    H5Pset_chunk(properties, 2, chunk);
    H5Dclose(H5Dcreate2(file, "huge", H5T_IEEE_F32LE, space, H5P_DEFAULT, properties, H5P_DEFAULT));
    H5Pclose(properties);
    H5Sclose(space);
  });
  change([](hid_t file) {  // not numbers of the right kind
    const hsize_t three = 3;
    const hid_t space = H5Screate_simple(1, &three, nullptr);
    H5Dclose(
        H5Dcreate2(file, "integers", H5T_STD_I32LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Sclose(space);
  });
}

TEST_CASE("loading a network lists all that is wrong at once") {
  IouPredictor<float> predictor(IouPredictorWidths{2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2});
  NamedTensors weights = named_tensors(predictor, "");
  weights.erase("fc3_rt.bn.weight");
  weights.at("conv3_1r.0.bias") = Tensor<float>::zeros(Shape{3});
  weights.emplace("something.else", Tensor<float>::zeros(Shape{1}));
  try {
    load_parameters(predictor, "", weights);
    FAIL("loaded");
  } catch (const WeightsError& error) {
    const std::string message = error.what();
    CHECK(message.find("fc3_rt.bn.weight: missing, expected [2]") != std::string::npos);
    CHECK(message.find("conv3_1r.0.bias: shape [3], expected [2]") != std::string::npos);
    CHECK(message.find("2 problems") != std::string::npos);
  }
  const Folder folder;
  write_weights(folder.file("w.h5"), small_file());
  CHECK_THROWS_AS(Model::load(folder.file("w.h5")), WeightsError);
}

TEST_CASE("several threads may read at once") {
  const Folder folder;
  const std::string path = folder.file("w.h5");
  write_weights(path, small_file());
  std::vector<std::thread> threads;
  std::vector<int> right(4, 0);
  for (std::size_t i = 0; i < right.size(); ++i) {
    threads.emplace_back([&, i] {
      for (int k = 0; k < 10; ++k) right[i] += read_weights(path).tensors.size() == 3 ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(right == std::vector<int>(4, 10));
}
