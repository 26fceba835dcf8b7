// SPDX-License-Identifier: MIT
#pragma once

#include "tools/sequence_tracker.hpp"

namespace atomtrack::tools {

/// OpenCV's "csrt", "kcf" or "mil", with OpenCV's default settings. Throws InputError if this
/// build's OpenCV came without them.
TrackerEntry opencv_tracker_entry(const std::string& name);

}  // namespace atomtrack::tools
