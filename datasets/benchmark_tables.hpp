// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace atomtrack::datasets {

/// The parts of the published video that an OTB sequence is, where that is not all of it from the
/// first frame.
struct OtbException {
  std::int64_t first_frame = 1;  ///< number of the image that the first annotation belongs to
  std::int64_t omit = 0;         ///< frames and annotations left out at the start
};
const std::map<std::string, OtbException>& otb_exceptions();

/// UAV123 cuts some videos into several sequences: the folder and the number of the first image.
struct UavPart {
  std::string folder;
  std::int64_t first_frame = 1;
};
const std::map<std::string, UavPart>& uav123_parts();

/// Short names of a benchmark's attributes in the order of its flag files.
const std::vector<std::string>& otb_attributes();
const std::vector<std::string>& uav123_attributes();
const std::vector<std::string>& lasot_attributes();

}  // namespace atomtrack::datasets
