// SPDX-License-Identifier: MIT
#pragma once

#include "atomtrack/primitives/geometry.hpp"

namespace atomtrack {

/// The window that the released tracker cuts out around a position, to be resized to `output`
/// pixels a side: about `side` pixels (side = scale * output), decimated first when it is more than
/// about twice as large as the output, of a whole number of pixels, centred on the position rounded
/// toward zero. It may reach outside the image, whose border then repeats. Throws InputError unless
/// side > 0 and the numbers are finite.
CropWindow sample_window(double row, double col, double side, int output, int image_height,
                         int image_width);

}  // namespace atomtrack
