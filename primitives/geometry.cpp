// SPDX-License-Identifier: MIT
#include "atomtrack/primitives/geometry.hpp"

namespace atomtrack {
namespace {

std::int64_t windows_along(std::int64_t extent, std::int64_t window, std::int64_t stride,
                           std::int64_t padding) {
  const std::int64_t room = extent + 2 * padding - window;
  return room < 0 ? 0 : room / stride + 1;
}

}  // namespace

Shape conv2d_shape(const Shape& input, const Shape& filter, Conv2dGeometry geometry) {
  require<ShapeError>(input.rank() == 4 && filter.rank() == 4 && input[1] == filter[1],
                      "conv2d: input ", input, " and filter ", filter,
                      ": expected [N,Cin,H,W] and [Cout,Cin,Kh,Kw]");
  require<ShapeError>(geometry.stride >= 1 && geometry.padding >= 0, "conv2d: stride ",
                      geometry.stride, " and padding ", geometry.padding,
                      ": expected at least 1 and 0");
  const Shape output{input[0], filter[0],
                     windows_along(input[2], filter[2], geometry.stride, geometry.padding),
                     windows_along(input[3], filter[3], geometry.stride, geometry.padding)};
  require<ShapeError>(output[2] >= 1 && output[3] >= 1, "conv2d: filter ", filter, " with padding ",
                      geometry.padding, " does not fit into ", input);
  return output;
}

Shape pool2d_shape(const Shape& input, Pool2dGeometry geometry) {
  require<ShapeError>(input.rank() == 4, "pooling of ", input, ": expected [N,C,H,W]");
  require<ShapeError>(geometry.window >= 1 && geometry.stride >= 1 && geometry.padding >= 0 &&
                          2 * geometry.padding <= geometry.window,
                      "pooling window ", geometry.window, ", stride ", geometry.stride,
                      ", padding ", geometry.padding,
                      ": expected padding of at most half the window");
  const Shape output{input[0], input[1],
                     windows_along(input[2], geometry.window, geometry.stride, geometry.padding),
                     windows_along(input[3], geometry.window, geometry.stride, geometry.padding)};
  require<ShapeError>(output[2] >= 1 && output[3] >= 1, "pooling window ", geometry.window,
                      " with padding ", geometry.padding, " does not fit into ", input);
  return output;
}

Shape prroi_pool_shape(const Shape& features, const Shape& rois, PrRoiGeometry geometry) {
  require<ShapeError>(features.rank() == 4 && rois.rank() == 2 && rois[1] == 5,
                      "prroi_pool: features ", features, " and rois ", rois,
                      ": expected [N,C,H,W] and [K,5] rows of (batch index, x0, y0, x1, y1)");
  require<ShapeError>(
      geometry.pooled_height >= 1 && geometry.pooled_width >= 1 && geometry.spatial_scale > 0,
      "prroi_pool: ", geometry.pooled_height, "x", geometry.pooled_width, " bins at scale ",
      geometry.spatial_scale, ": expected positive values");
  return Shape{rois[0], features[1], geometry.pooled_height, geometry.pooled_width};
}

}  // namespace atomtrack
