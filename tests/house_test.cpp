// SPDX-License-Identifier: MIT
// The house keeps its order: which room may include which, how long a file may be, what library
// code may not do.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

struct Source {
  std::string path;  // relative to the repository
  std::string room;
  std::vector<std::string> lines;
};

const std::vector<std::string> rooms{"tensor",       "primitives", "reference", "cpu",   "autodiff",
                                     "optimization", "layers",     "weights",   "image", "datasets",
                                     "tracker",      "training",   "evaluation"};

std::string room_of(const std::string& path) {
  std::string rest = path;
  const std::string headers = "include/atomtrack/";
  if (rest.rfind(headers, 0) == 0) rest = rest.substr(headers.size());
  const auto slash = rest.find('/');
  return slash == std::string::npos ? "" : rest.substr(0, slash);
}

std::vector<Source> sources(const std::vector<std::string>& folders) {
  const fs::path root = ATOMTRACK_SOURCE_DIR;
  std::vector<Source> found;
  for (const std::string& folder : folders) {
    if (!fs::exists(root / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      const std::string extension = entry.path().extension().string();
      if (extension != ".cpp" && extension != ".hpp" && extension != ".py") continue;
      Source source{fs::relative(entry.path(), root).generic_string(), "", {}};
      source.room = room_of(source.path);
      std::ifstream file(entry.path());
      for (std::string line; std::getline(file, line);) source.lines.push_back(line);
      found.push_back(std::move(source));
    }
  }
  REQUIRE(!found.empty());
  return found;
}

std::vector<std::string> library_folders() {
  std::vector<std::string> folders = rooms;
  folders.push_back("include/atomtrack");
  return folders;
}

/// What each room may include besides itself, closed over "may include what it includes".
std::map<std::string, std::set<std::string>> allowed() {
  std::map<std::string, std::set<std::string>> rules{
      {"tensor", {}},
      {"primitives", {"tensor"}},
      {"reference", {"primitives"}},
      {"cpu", {"primitives"}},
      {"autodiff", {"primitives"}},
      {"optimization", {"autodiff"}},
      {"layers", {"autodiff"}},
      {"weights", {"tensor"}},
      {"image", {"primitives"}},
      {"tracker", {"image", "weights", "layers", "optimization"}},
      {"datasets", {"image"}},
      {"training", {"datasets", "weights", "layers", "optimization"}},
      {"evaluation", {"datasets", "tracker"}},
  };
  for (bool changed = true; changed;) {
    changed = false;
    for (auto& [room, may] : rules) {
      std::set<std::string> more = may;
      for (const std::string& other : may) more.insert(rules[other].begin(), rules[other].end());
      changed = changed || more.size() > may.size();
      may = more;
    }
  }
  return rules;
}

}  // namespace

TEST_CASE("rooms include only what lies below them") {
  const auto rules = allowed();
  const std::regex include(R"re(^\s*#\s*include\s+"(?:atomtrack/)?([a-z0-9_]+)/)re");
  for (const Source& source : sources(library_folders())) {
    if (source.room.empty()) continue;  // opencv.hpp, the bridge
    CAPTURE(source.path);
    REQUIRE(rules.count(source.room) == 1);
    for (const std::string& line : source.lines) {
      std::smatch match;
      if (!std::regex_search(line, match, include) || match[1] == source.room) continue;
      CAPTURE(line);
      CHECK(rules.at(source.room).count(match[1]) == 1);
    }
  }
}

TEST_CASE("libraries stay in their rooms") {
  const auto only_in = [](const std::string& what, const std::regex& header,
                          const std::regex& where) {
    for (const Source& source : sources(library_folders())) {
      if (std::regex_search(source.path, where)) continue;
      for (const std::string& line : source.lines) {
        CAPTURE(what);
        CAPTURE(source.path);
        CHECK_FALSE(std::regex_search(line, header));
      }
    }
  };
  only_in("OpenCV", std::regex(R"(#\s*include\s+<opencv2/)"),
          std::regex("^include/atomtrack/opencv.hpp$"));
  only_in("oneDNN", std::regex(R"(#\s*include\s+[<"](oneapi/|dnnl))"), std::regex("^cpu/onednn"));
  only_in("BLAS", std::regex(R"(#\s*include\s+<cblas)"), std::regex("^cpu/"));
  only_in("HDF5", std::regex(R"(#\s*include\s+<hdf5)"), std::regex("^weights/"));
  only_in("OpenMP", std::regex(R"(#\s*include\s+<omp)"), std::regex("^cpu/"));
}

TEST_CASE("library code neither ends the process nor prints") {
  const std::regex forbidden(
      R"((^|[^:\w.>])(abort|exit|_exit|quick_exit|terminate|printf|puts|putchar)\s*\(|std::(abort|exit|terminate|cout|cerr|clog|printf|puts)|\bassert\s*\()");
  for (const Source& source : sources(library_folders())) {
    for (const std::string& line : source.lines) {
      const std::string code = line.substr(0, line.find("//"));
      CAPTURE(source.path);
      CAPTURE(code);
      CHECK_FALSE(std::regex_search(code, forbidden));
    }
  }
}

TEST_CASE("files are small, licensed, and finished") {
  std::vector<std::string> folders = library_folders();
  folders.insert(folders.end(), {"tools", "tests", "examples"});
  const std::regex unfinished(std::string("TO") + "DO|FIX" + "ME|X" + "XX");
  for (const Source& source : sources(folders)) {
    CAPTURE(source.path);
    CHECK(source.lines.size() <= 600);
    const std::string start =
        source.lines.empty() ? ""
                             : source.lines[0] + (source.lines.size() > 1 ? source.lines[1] : "");
    CHECK(start.find("SPDX-License-Identifier: MIT") != std::string::npos);
    for (const std::string& line : source.lines) CHECK_FALSE(std::regex_search(line, unfinished));
  }
}
