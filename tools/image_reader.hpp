// SPDX-License-Identifier: MIT
#pragma once

#include "atomtrack/datasets/dataset.hpp"

namespace atomtrack::tools {

/// Reads image files with OpenCV, as RGB.
ImageReader opencv_image_reader();

}  // namespace atomtrack::tools
