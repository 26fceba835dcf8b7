// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

namespace cuda_on_host {

/// Makes every call that the CUDA backend makes of the libraries and launches each of its kernels,
/// in float and double, on small arguments that are the same every time; gives all results.
std::vector<double> use_whole_backend();

}  // namespace cuda_on_host
