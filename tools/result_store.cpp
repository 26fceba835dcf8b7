// SPDX-License-Identifier: MIT
#include "tools/result_store.hpp"

#include <algorithm>
#include <cstdio>
#include <limits>

#include "atomtrack/datasets/annotations.hpp"
#include "atomtrack/tensor/error.hpp"
#include "tools/output.hpp"

namespace atomtrack::tools {

namespace fs = std::filesystem;

namespace {

std::string number(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof(text), format, value);
  return text;
}

/// FOLDER/<sequence>.txt -> FOLDER/<sequence>_<what>.txt
std::string beside(const std::string& path, const char* what) {
  return path.substr(0, path.size() - 4) + "_" + what + ".txt";
}

std::vector<double> numbers_if_there(const std::string& path) {
  return fs::exists(path) ? read_number_file(path) : std::vector<double>{};
}

bool is_seed(const std::string& name) {
  return !name.empty() && name.size() < 9 &&
         std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

template <class Accept>
std::vector<std::string> folders_in(const std::string& folder, Accept accept) {
  std::vector<std::string> names;
  std::error_code error;
  for (auto entry = fs::directory_iterator(folder, error);
       !error && entry != fs::directory_iterator(); entry.increment(error)) {
    std::error_code ignored;
    const std::string name = entry->path().filename().string();
    if (entry->is_directory(ignored) && accept(name)) names.push_back(name);
  }
  return names;
}

}  // namespace

std::string ResultStore::path(const std::string& tracker, int seed,
                              const std::string& sequence) const {
  const std::string folder = folder_ + "/" + tracker + "/" + std::to_string(seed) + "/";
  if (layout_ == BenchmarkLayout::got10k || layout_ == BenchmarkLayout::vot2018)
    return folder + sequence + "/" + sequence + "_001.txt";
  return folder + sequence + ".txt";
}

bool ResultStore::holds(const std::string& tracker, int seed, const std::string& sequence) const {
  return fs::exists(path(tracker, seed, sequence));
}

void ResultStore::write(const std::string& tracker, int seed, const std::string& sequence,
                        const SequenceRun& run) const {
  const std::string file = path(tracker, seed, sequence);
  std::error_code error;
  fs::create_directories(fs::path(file).parent_path(), error);
  require<InputError>(!error, fs::path(file).parent_path().string(),
                      ": cannot be made: ", error.message());
  const double origin = first_pixel(layout_);
  std::string boxes, scores, times;
  for (const auto& [box, score] : run.boxes) {
    boxes += number("%.4f,", box.x + origin) + number("%.4f,", box.y + origin) +
             number("%.4f,", box.width) + number("%.4f\n", box.height);
    scores += number("%.6f\n", score);
  }
  for (const double seconds : run.seconds) times += number("%.6f\n", seconds);
  write_text_file(beside(file, "score"), scores);
  write_text_file(beside(file, "time"), times);
  write_text_file(beside(file, "memory"), number("%.1f\n", run.memory_mb));
  write_text_file(file, run.text.empty() ? boxes : run.text);
}

std::optional<SequenceRun> ResultStore::read(const std::string& tracker, int seed,
                                             const std::string& sequence) const {
  const std::string file = path(tracker, seed, sequence);
  if (!fs::exists(file)) return std::nullopt;
  SequenceRun run;
  for (const Box& box : read_box_file(file, first_pixel(layout_)))
    run.boxes.push_back({box, std::numeric_limits<double>::quiet_NaN()});
  const std::vector<double> scores = numbers_if_there(beside(file, "score"));
  for (std::size_t i = 0; i < std::min(scores.size(), run.boxes.size()); ++i)
    run.boxes[i].score = scores[i];
  run.seconds = numbers_if_there(beside(file, "time"));
  const std::vector<double> memory = numbers_if_there(beside(file, "memory"));
  if (!memory.empty()) run.memory_mb = memory.front();
  return run;
}

std::vector<int> ResultStore::seeds(const std::string& tracker) const {
  std::vector<int> result;
  for (const std::string& name : folders_in(folder_ + "/" + tracker, is_seed))
    result.push_back(std::stoi(name));
  std::sort(result.begin(), result.end());
  return result;
}

std::vector<std::string> ResultStore::trackers() const {
  std::vector<std::string> names = folders_in(folder_, [](const std::string&) { return true; });
  std::erase_if(names, [&](const std::string& name) { return seeds(name).empty(); });
  std::sort(names.begin(), names.end());
  return names;
}

void ResultStore::take_over(const std::string& folder) const {
  require<InputError>(fs::is_directory(folder), folder, ": no such folder of results");
  std::error_code error;
  fs::create_directories(folder_, error);
  fs::copy(folder, folder_, fs::copy_options::recursive | fs::copy_options::skip_existing, error);
  require<InputError>(!error, folder, ": cannot be copied to ", folder_, ": ", error.message());
}

std::optional<std::vector<Box>> read_foreign_boxes(const std::string& folder,
                                                   const std::string& sequence, double origin) {
  for (const std::string& file :
       {folder + "/" + sequence + ".txt", folder + "/" + sequence + "/" + sequence + "_001.txt",
        folder + "/" + sequence + "_001.txt"}) {
    if (fs::exists(file)) return read_box_file(file, origin);
  }
  return std::nullopt;
}

}  // namespace atomtrack::tools
