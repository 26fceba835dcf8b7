// SPDX-License-Identifier: MIT
#pragma once

#include "atomtrack/tracker/target.hpp"

namespace atomtrack {

/// A sampled Gaussian of height 1 (section 3.2, y_j): y[i,j] = exp(-((i - (H-1)/2 - centre.row)^2 /
/// (2 sigma.row^2) + ...)) on H x W cells, written to `label`, H * W floats on the host. `centre`
/// and `sigma` are in cells; a centre of (0, 0) is the map's middle.
void gaussian_label(RowCol centre, RowCol sigma, int height, int width, float* label);

/// The standard deviation in cells of the label of a target whose base size (at scale 1, in crop
/// pixels) is given; the same along both axes.
double label_sigma(RowCol base_size, const Options& options);

/// Where the label of a sample is centred, in cells from the map's middle: the target's
/// displacement from the position around which the sample was cut, plus the half cell by which an
/// even filter shifts its result.
RowCol label_centre(RowCol target_position, RowCol sample_position, double sample_scale,
                    const Options& options);

}  // namespace atomtrack
