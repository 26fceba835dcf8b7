// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "atomtrack/autodiff/variable.hpp"

namespace atomtrack {

/// Bilinear crop-and-resize (Primitives::crop_resize): image [N,C,H,W], one window per image ->
/// [N,C,height,width].
template <class T>
Variable<T> crop_resize(const Variable<T>& image, const std::vector<CropWindow>& windows,
                        std::int64_t height, std::int64_t width);

extern template Variable<float> crop_resize(const Variable<float>&, const std::vector<CropWindow>&,
                                            std::int64_t, std::int64_t);
extern template Variable<double> crop_resize(const Variable<double>&,
                                             const std::vector<CropWindow>&, std::int64_t,
                                             std::int64_t);

}  // namespace atomtrack
