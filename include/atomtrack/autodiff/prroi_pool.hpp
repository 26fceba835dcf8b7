// SPDX-License-Identifier: MIT
#pragma once

#include "atomtrack/autodiff/variable.hpp"

namespace atomtrack {

/// Precise RoI pooling (section 3.1): the exact mean over each bin of the bilinear interpolant of
/// `features` [N,C,H,W], for `rois` [K,5] rows (batch index, x0, y0, x1, y1) in image pixels ->
/// [K,C,ph,pw].
///
/// Differentiable in features and boxes, twice: once everywhere, a second time in the box where no
/// bin edge lies on a whole map cell. A third derivative in the box throws Error.
template <class T>
Variable<T> prroi_pool(const Variable<T>& features, const Variable<T>& rois,
                       PrRoiGeometry geometry);

extern template Variable<float> prroi_pool(const Variable<float>&, const Variable<float>&,
                                           PrRoiGeometry);
extern template Variable<double> prroi_pool(const Variable<double>&, const Variable<double>&,
                                            PrRoiGeometry);

}  // namespace atomtrack
