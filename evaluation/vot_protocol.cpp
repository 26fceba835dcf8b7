// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <sstream>

#include "atomtrack/evaluation/vot.hpp"
#include "atomtrack/tensor/error.hpp"

namespace atomtrack::vot {
namespace {

constexpr std::size_t box_numbers = 4;
using Kind = FrameResult::Kind;

/// The numbers of a line separated by commas, semicolons or blanks; none if a word is no number.
std::vector<double> numbers_in(std::string line) {
  std::replace_if(
      line.begin(), line.end(),
      [](char c) { return c == ',' || c == ';' || c == '\t' || c == '\r'; }, ' ');
  std::istringstream words(line);
  std::vector<double> numbers;
  for (std::string word; words >> word;) {
    char* end = nullptr;
    numbers.push_back(std::strtod(word.c_str(), &end));
    if (*end != '\0' || !std::isfinite(numbers.back())) return {};
  }
  return numbers;
}

/// Calls `use(line, number)` for every line that is not empty.
template <class F>
void for_each_line(const std::string& text, F use) {
  std::istringstream stream(text);
  std::string line;
  for (int number = 1; std::getline(stream, line); ++number) {
    if (line.find_first_not_of(" \t\r") != std::string::npos) use(line, number);
  }
}

}  // namespace

std::optional<Region> parse_region(const std::string& text) {
  const std::vector<double> numbers = numbers_in(text);
  if (numbers.size() == box_numbers) return Box{numbers[0], numbers[1], numbers[2], numbers[3]};
  if (numbers.size() < 6 || numbers.size() % 2 != 0) return std::nullopt;
  Polygon polygon;
  for (std::size_t i = 0; i < numbers.size(); i += 2)
    polygon.push_back({numbers[i], numbers[i + 1]});
  return polygon;
}

std::string to_text(const Region& region) {
  std::string text;
  const auto add = [&](double value) {
    char word[64];
    std::snprintf(word, sizeof(word), "%s%.4f", text.empty() ? "" : ",", value);
    text += word;
  };
  if (const Box* box = std::get_if<Box>(&region)) {
    for (const double value : {box->x, box->y, box->width, box->height}) add(value);
  } else {
    for (const Point& point : std::get<Polygon>(region)) {
      add(point.x);
      add(point.y);
    }
  }
  return text;
}

Trajectory parse_trajectory(const std::string& text, const std::string& name) {
  Trajectory trajectory;
  for_each_line(text, [&](const std::string& line, int number) {
    const std::vector<double> numbers = numbers_in(line);
    if (numbers.size() == 1 && (numbers[0] == 0 || numbers[0] == 1 || numbers[0] == 2)) {
      trajectory.push_back({static_cast<Kind>(numbers[0]), {}});
      return;
    }
    const std::optional<Region> region = parse_region(line);
    require<InputError>(region.has_value(), name, ": line ", number,
                        ": expected 0, 1, 2, a box of four numbers or a polygon");
    trajectory.push_back({Kind::tracked, *region});
  });
  return trajectory;
}

std::string to_text(const Trajectory& trajectory) {
  std::string text;
  for (const FrameResult& frame : trajectory) {
    text += frame.kind == Kind::tracked ? to_text(frame.region)
                                        : std::to_string(static_cast<int>(frame.kind));
    text += '\n';
  }
  return text;
}

std::vector<Region> parse_annotations(const std::string& text, const std::string& name) {
  std::vector<Region> annotations;
  for_each_line(text, [&](const std::string& line, int number) {
    const std::optional<Region> region = parse_region(line);
    require<InputError>(region.has_value(), name, ": line ", number,
                        ": expected a box of four numbers or a polygon");
    annotations.push_back(*region);
  });
  return annotations;
}

Trajectory run_supervised(const TrackerCallbacks& tracker, std::span<const Region> annotations,
                          ImageSize image, const ProtocolOptions& options) {
  require<InputError>(!annotations.empty(), "a sequence without annotations");
  require<InputError>(options.skipped_frames >= 1, "an initialisation ", options.skipped_frames,
                      " frames after a failure: expected at least 1");
  Trajectory trajectory(annotations.size());
  std::size_t next_start = 0;
  for (std::size_t i = 0; i < annotations.size(); ++i) {
    if (i < next_start) continue;
    FrameResult& frame = trajectory[i];
    if (i == next_start) {
      tracker.initialize(static_cast<int>(i), annotations[i]);
      frame.kind = Kind::initialized;
      next_start = 0;
      continue;
    }
    frame = {Kind::tracked, tracker.update(static_cast<int>(i))};
    if (region_overlap(frame.region, annotations[i], image, options.overlap) <= 0.0) {
      frame = {Kind::failed, {}};
      next_start = i + static_cast<std::size_t>(options.skipped_frames);
    }
  }
  return trajectory;
}

}  // namespace atomtrack::vot
