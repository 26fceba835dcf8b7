// SPDX-License-Identifier: MIT
#pragma once

#include "atomtrack/tensor/tensor.hpp"

namespace atomtrack {

/// x / sqrt(mean of x^2 + 1e-10) per image: [N,C,H,W] with unit power over (C, H, W), in place. The
/// classifier sees features of one scale whatever the image's contrast (the released tracker; the
/// paper does not mention it).
void normalize_power(Tensor<float>& features);

}  // namespace atomtrack
