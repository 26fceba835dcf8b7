// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "atomtrack/image/image_view.hpp"

namespace atomtrack {

// Text files of annotations: a line per frame, numbers separated by commas, tabs, semicolons or
// spaces, "nan" where the target is absent.

/// The numbers of a line; nothing if a word is no number.
std::optional<std::vector<double>> numbers_of(std::string_view line);

/// The box of a line of four numbers x,y,width,height, or the rectangle around the eight of a
/// rotated one; nothing for any other line. `origin` is the coordinate of the first pixel.
std::optional<Box> box_of_line(const std::string& line, double origin);

/// One box per line; empty lines are skipped, and a line that is no box gives a box of NaN and, in
/// `bad_lines`, its number. Throws InputError if the file cannot be read or has no lines.
std::vector<Box> read_box_file(const std::string& path, double origin,
                               std::vector<int>* bad_lines = nullptr);

/// All numbers of a file in order (visibility flags). Throws InputError if it cannot be read or a
/// word is no number.
std::vector<double> read_number_file(const std::string& path);

/// The lines of a file that are not empty, without blanks at their ends (lists of names). Throws
/// InputError if it cannot be read.
std::vector<std::string> read_lines(const std::string& path);

}  // namespace atomtrack
