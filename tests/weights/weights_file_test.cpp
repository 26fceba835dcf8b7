// SPDX-License-Identifier: MIT
#include "atomtrack/weights/weights_file.hpp"

#include <doctest/doctest.h>
#include <hdf5.h>
#include <sys/resource.h>

#include <cmath>
#include <csignal>
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
#include "weights/half.hpp"
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

TEST_CASE("SHA-256 of a message in pieces is that of the whole") {
  RandomSource random(5);
  std::vector<std::uint8_t> message(1000);
  for (std::uint8_t& byte : message) byte = static_cast<std::uint8_t>(random.bits());
  for (std::size_t length = 0; length < 200; ++length) {  // every place of the end in a block
    const std::span<const std::uint8_t> part(message.data(), length);
    Sha256 hash;
    hash.update(part.first(length / 3));
    hash.update(part.subspan(length / 3));
    CHECK(hash.finish() == sha256(part));
  }
  Sha256 hash;
  for (const std::uint8_t byte : message) hash.update({&byte, 1});
  CHECK(hash.finish() == sha256(message));
  CHECK(hash.finish() == sha256({}));  // a new message
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

TEST_CASE("half precision is the nearest, ties to even, for every number") {
  // Every half is itself again, and what lies between two of them goes to the nearer.
  for (std::uint32_t bits = 0; bits < 0x7BFF; ++bits) {
    const float low = from_half(static_cast<std::uint16_t>(bits));
    const float high = from_half(static_cast<std::uint16_t>(bits + 1));
    const float middle = (low + high) / 2;  // exact in float
    REQUIRE(low < high);
    REQUIRE(to_half(low) == bits);
    REQUIRE(to_half(-low) == (bits | 0x8000U));
    REQUIRE(to_half(middle) == bits + bits % 2);
    REQUIRE(to_half(std::nextafter(middle, low)) == bits);
    REQUIRE(to_half(std::nextafter(middle, high)) == bits + 1);
  }
  CHECK(from_half(0x3C00) == 1.0F);
  CHECK(from_half(0x7BFF) == 65504.0F);
  CHECK(to_half(65520.0F) == 0x7C00);
  CHECK(std::isnan(from_half(to_half(NAN))));
}

TEST_CASE("large tensors keep every number in half storage") {
  const Folder folder;
  WeightsFile file = small_file();
  RandomSource random(3);
  Tensor<float> values(Shape{600, 1000});
  for (float& value : values.span()) value = static_cast<float>(random.normal(0.0, 0.05));
  values.data()[77] = 0.06249805F;  // rounds up to the next power of two
  file.tensors.emplace("large", values);
  write_weights(folder.file("w.h5"), file, WeightsStorage::half);
  const Tensor<float> read = read_weights(folder.file("w.h5")).tensors.at("large");
  int wrong = 0;
  for (std::int64_t i = 0; i < values.numel(); ++i)
    wrong += read.data()[i] == from_half(to_half(values.data()[i])) ? 0 : 1;
  CHECK(wrong == 0);
  CHECK(read.data()[77] == 0.0625F);
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
  bad = small_file();
  bad.metadata.deviation[1] = 0.0;
  CHECK_THROWS_AS(write_weights(path, bad), WeightsError);
  bad = small_file();
  bad.metadata.provenance = std::string(100000, 'x');
  CHECK_THROWS_AS(write_weights(path, bad), WeightsError);
  for (const char* name : {"", ".", "a/b"}) {
    bad = small_file();
    bad.tensors.emplace(name, Tensor<float>::zeros(Shape{1}));
    CHECK_THROWS_AS(write_weights(path, bad), WeightsError);
  }
  CHECK(bytes_of(path) == before);
  CHECK_FALSE(fs::exists(path + ".partial"));
}

TEST_CASE("where nothing can be written, nothing is left") {
  const Folder folder;
  CHECK_THROWS_AS(write_weights(folder.file("no/such/folder/w.h5"), small_file()), WeightsError);
  fs::create_directories(folder.file("folder.h5"));
  CHECK_THROWS_AS(write_weights(folder.file("folder.h5"), small_file()), WeightsError);
  CHECK_FALSE(fs::exists(folder.file("folder.h5.partial")));

  const std::string path = folder.file("w.h5");
  write_weights(path, small_file());
  const auto before = bytes_of(path);
  WeightsFile large = small_file();
  large.tensors.emplace("large", Tensor<float>::zeros(Shape{100000}));
  // A limit on the size of files stands for a full disk.
  auto* const old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit old_limit{};
  getrlimit(RLIMIT_FSIZE, &old_limit);
  for (const rlim_t size : {0, 600, 3000, 20000, 200000}) {
    CAPTURE(size);
    const rlimit limit{size, old_limit.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
    std::string message;
    try {
      write_weights(path, large);
    } catch (const WeightsError& error) {
      message = error.what();
    }
    setrlimit(RLIMIT_FSIZE, &old_limit);
    CHECK(message.find("w.h5") != std::string::npos);
    CHECK(bytes_of(path) == before);
    CHECK_FALSE(fs::exists(path + ".partial"));
  }
  std::signal(SIGXFSZ, old_handler);
  write_weights(path, large);
  CHECK(read_weights(path).tensors.size() == 4);
}

TEST_CASE("files that are not weights are refused") {
  const Folder folder;
  CHECK_THROWS_AS(read_weights(folder.file("missing.h5")), WeightsError);
  CHECK_THROWS_AS(read_weights(fs::path(folder.file("x")).parent_path().string()), WeightsError);
  write_bytes(folder.file("empty.h5"), {});
  CHECK_THROWS_AS(read_weights(folder.file("empty.h5")), WeightsError);
  write_bytes(folder.file("text.h5"), std::vector<char>(5000, 'x'));
  CHECK_THROWS_AS(read_weights(folder.file("text.h5")), WeightsError);
  // 2 TB that take no room on the disk: refused without reading them.
  write_bytes(folder.file("sparse.h5"), {'a'});
  fs::resize_file(folder.file("sparse.h5"), 1ULL << 41);
  CHECK_THROWS_AS(read_weights(folder.file("sparse.h5")), WeightsError);
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

TEST_CASE("a sealed file of another kind is refused, saying why") {
  const Folder folder;
  const std::string path = folder.file("w.h5");
  const auto change = [&](const char* reason, auto f) {
    CAPTURE(reason);
    write_weights(path, small_file());
    const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    f(file);
    H5Fclose(file);
    CHECK_THROWS_AS(read_weights(path), WeightsError);  // changed since it was sealed
    weights_format::seal(path);
    std::string message;
    try {
      read_weights(path);
    } catch (const WeightsError& error) {
      message = error.what();
    }
    CAPTURE(message);
    CHECK(message.find(path) == 0);
    CHECK(message.find(reason) != std::string::npos);
  };
  const auto add = [](hid_t file, const char* name, hid_t type, std::vector<hsize_t> extents,
                      hid_t properties = H5P_DEFAULT) {
    const hid_t space = H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr);
    H5Dclose(H5Dcreate2(file, name, type, space, H5P_DEFAULT, properties, H5P_DEFAULT));
    H5Sclose(space);
  };
  const auto set_number = [](hid_t file, const char* name, std::vector<double> values) {
    const hid_t attribute = H5Aopen(file, name, H5P_DEFAULT);
    H5Awrite(attribute, H5T_NATIVE_DOUBLE, values.data());
    H5Aclose(attribute);
  };
  const auto set_value = [](hid_t file, const char* name, std::vector<float> values) {
    const hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
    H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    H5Dclose(dataset);
  };
  const auto set_text = [](hid_t where, const char* name, hid_t type, const void* value) {
    H5Adelete(where, name);
    const hid_t space = H5Screate(H5S_SCALAR);
    const hid_t attribute = H5Acreate2(where, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(attribute, type, value);
    H5Aclose(attribute);
    H5Sclose(space);
  };
  const auto text_type = [](std::size_t size) {
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, size);
    return type;
  };

  change("format version 2", [&](hid_t file) { set_number(file, "format_version", {2.0}); });
  change("deviation of 0", [&](hid_t file) { set_number(file, "deviation", {0.2, 0.0, 0.2}); });
  change("'mean' of 3 numbers", [&](hid_t file) { set_number(file, "mean", {NAN, 0.0, 0.0}); });
  change("'provenance'", [](hid_t file) { H5Adelete(file, "provenance"); });
  change("format 'another'", [&](hid_t file) {
    const hid_t type = text_type(7);
    set_text(file, "format", type, "another");
    H5Tclose(type);
  });
  change("variable length", [&](hid_t file) {
    const hid_t type = text_type(H5T_VARIABLE);
    const char* value = "modulation";
    set_text(file, "architecture", type, &value);
    H5Tclose(type);
  });
  change("links to elsewhere", [](hid_t file) {
    H5Lcreate_external("/etc/hosts", "/", file, "outside", H5P_DEFAULT, H5P_DEFAULT);
  });
  change("links to elsewhere",
         [](hid_t file) { H5Lcreate_soft("/a.weight", file, "soft", H5P_DEFAULT, H5P_DEFAULT); });
  change("group is not a tensor", [](hid_t file) {
    H5Gclose(H5Gcreate2(file, "group", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  });
  change("tensor b.bias lacks the text attribute 'sha256'",
         [](hid_t file) { H5Adelete_by_name(file, "b.bias", "sha256", H5P_DEFAULT); });
  change("tensor b.bias is damaged: SHA-256", [&](hid_t file) {
    set_value(file, "b.bias", {0.5F, 0.25F});
  });
  change("tensor b.bias holds nan", [&](hid_t file) {
    const std::vector<float> values{0.5F, NAN};
    set_value(file, "b.bias", values);
    const std::string digest = sha256({reinterpret_cast<const std::uint8_t*>(values.data()), 8});
    const hid_t dataset = H5Dopen2(file, "b.bias", H5P_DEFAULT);
    const hid_t type = text_type(64);
    set_text(dataset, "sha256", type, digest.c_str());
    H5Tclose(type);
    H5Dclose(dataset);
  });
  change("integers is not of half or single",
         [&](hid_t file) { add(file, "integers", H5T_STD_I32LE, {3}); });
  change("double is not of half or single",
         [&](hid_t file) { add(file, "double", H5T_IEEE_F64LE, {3}); });
  change("big_endian is not of half or single",
         [&](hid_t file) { add(file, "big_endian", H5T_IEEE_F32BE, {3}); });
  change("many_axes has 7 axes", [&](hid_t file) {
    add(file, "many_axes", H5T_IEEE_F32LE, {1, 1, 1, 1, 1, 1, 2});
  });
  change("many_chunks has 20 axes", [&](hid_t file) {
    const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    const std::vector<hsize_t> ones(20, 1);
    H5Pset_chunk(properties, 20, ones.data());
    add(file, "many_chunks", H5T_IEEE_F32LE, ones, properties);
    H5Pclose(properties);
  });
  change("huge is larger than", [&](hid_t file) {  // and not stored at all
    const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    const hsize_t chunk[2] = {1, 1024};
    H5Pset_chunk(properties, 2, chunk);
    add(file, "huge", H5T_IEEE_F32LE, {1ULL << 40, 1ULL << 20}, properties);
    H5Pclose(properties);
  });
  change("outside is stored in a way that is not accepted (external file)", [&](hid_t file) {
    const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(properties, "/etc/hosts", 0, 12);
    add(file, "outside", H5T_IEEE_F32LE, {3}, properties);
    H5Pclose(properties);
  });
  change("packed is stored in a way that is not accepted (filter 6)", [&](hid_t file) {
    const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    const hsize_t chunk = 3;
    H5Pset_chunk(properties, 1, &chunk);
    H5Pset_scaleoffset(properties, H5Z_SO_FLOAT_DSCALE, 2);
    add(file, "packed", H5T_IEEE_F32LE, {3}, properties);
    H5Pclose(properties);
  });
}

TEST_CASE("an inspection lists all damage and keeps what can be read") {
  const Folder folder;
  const std::string path = folder.file("w.h5");
  write_weights(path, small_file());
  CHECK(inspect_weights(path).damage.empty());
  CHECK(inspect_weights(path).file.tensors.size() == 3);

  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  const hid_t dataset = H5Dopen2(file, "b.bias", H5P_DEFAULT);
  const std::vector<float> values{NAN, 1.0F};
  H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  H5Dclose(dataset);
  H5Adelete_by_name(file, "scalar", "sha256", H5P_DEFAULT);
  H5Fclose(file);

  CHECK_THROWS_AS(inspect_weights(path), WeightsError);  // changed since it was sealed
  weights_format::seal(path);
  const WeightsInspection found = inspect_weights(path);
  REQUIRE(found.damage.size() == 3);
  CHECK(found.damage[0].find("b.bias is damaged") != std::string::npos);
  CHECK(found.damage[1].find("b.bias holds nan") != std::string::npos);
  CHECK(found.damage[2].find("scalar lacks") != std::string::npos);
  CHECK(found.unreadable == std::vector<std::string>{"scalar"});
  CHECK(found.file.tensors.count("a.weight") == 1);
  CHECK(found.file.tensors.count("b.bias") == 1);
  CHECK(found.file.tensors.count("scalar") == 0);

  write_bytes(folder.file("text.h5"), std::vector<char>(5000, 'x'));
  CHECK_THROWS_AS(inspect_weights(folder.file("text.h5")), WeightsError);
  CHECK_THROWS_AS(inspect_weights(folder.file("missing.h5")), WeightsError);
}

TEST_CASE("loading a network lists all that is wrong at once") {
  IouPredictor<float> predictor(IouArchitecture::modulation,
                                IouPredictorWidths{2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2});
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
    CHECK(message.find('\n') == std::string::npos);
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
