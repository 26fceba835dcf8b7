// SPDX-License-Identifier: MIT
#include "atomtrack/datasets/annotations.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <limits>

#include "atomtrack/tensor/error.hpp"

namespace atomtrack {
namespace {

constexpr double absent = std::numeric_limits<double>::quiet_NaN();

std::ifstream opened(const std::string& path) {
  std::ifstream file(path);
  require<InputError>(file.good(), path, ": cannot be read");
  return file;
}

}  // namespace

std::optional<std::vector<double>> numbers_of(std::string_view line) {
  const auto separates = [](char c) {
    return c == ',' || c == ';' || c == '\t' || c == ' ' || c == '\r';
  };
  std::vector<double> values;
  values.reserve(8);
  const char* at = line.data();
  const char* const end = at + line.size();
  for (;;) {
    while (at != end && separates(*at)) ++at;
    if (at == end) return values;
    if (*at == '+') ++at;
    const auto [after, problem] = std::from_chars(at, end, values.emplace_back());
    if (problem != std::errc() || (after != end && !separates(*after))) return std::nullopt;
    at = after;
  }
}

std::optional<Box> box_of_line(const std::string& line, double origin) {
  const auto values = numbers_of(line);
  if (!values) return std::nullopt;
  const std::vector<double>& v = *values;
  if (v.size() == 4) return Box{v[0] - origin, v[1] - origin, v[2], v[3]};
  if (v.size() != 8) return std::nullopt;
  double left = v[0], right = v[0], top = v[1], bottom = v[1];
  for (std::size_t i = 0; i < 8; i += 2) {
    left = std::min(left, v[i]);
    right = std::max(right, v[i]);
    top = std::min(top, v[i + 1]);
    bottom = std::max(bottom, v[i + 1]);
  }
  return Box{left - origin, top - origin, right - left, bottom - top};
}

std::vector<Box> read_box_file(const std::string& path, double origin,
                               std::vector<int>* bad_lines) {
  std::ifstream file = opened(path);
  std::vector<Box> boxes;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const auto box = box_of_line(line, origin);
    if (!box && bad_lines != nullptr) bad_lines->push_back(number);
    boxes.push_back(box.value_or(Box{absent, absent, absent, absent}));
  }
  require<InputError>(!boxes.empty(), path, ": holds no boxes");
  return boxes;
}

std::vector<double> read_number_file(const std::string& path) {
  std::ifstream file = opened(path);
  std::vector<double> all;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    const auto values = numbers_of(line);
    require<InputError>(values.has_value(), path, ": line ", number, ": expected numbers");
    all.insert(all.end(), values->begin(), values->end());
  }
  return all;
}

std::vector<std::string> read_lines(const std::string& path) {
  std::ifstream file = opened(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    const auto first = line.find_first_not_of(" \t\r");
    if (first == std::string::npos) continue;
    lines.push_back(line.substr(first, line.find_last_not_of(" \t\r") - first + 1));
  }
  return lines;
}

}  // namespace atomtrack
