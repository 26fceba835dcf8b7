// SPDX-License-Identifier: MIT
#pragma once

// The bridge to OpenCV: the only public header that knows it.

#include <opencv2/core.hpp>

#include "atomtrack/image/image_view.hpp"
#include "atomtrack/tensor/error.hpp"

namespace atomtrack {
inline namespace v1 {

/// A view of a cv::Mat in OpenCV's channel order (grey, BGR or BGRA; 8 or 16 bits). The Mat must
/// outlive the view. Throws InputError for an empty Mat and for other depths and channel counts.
inline ImageView view(const cv::Mat& image) {
  require<InputError>(!image.empty() && image.dims == 2, "a cv::Mat of ", image.total(),
                      " pixels in ", image.dims, " dimensions: expected an image");
  const bool wide = image.depth() == CV_16U;
  require<InputError>(wide || image.depth() == CV_8U, "an image of OpenCV depth ", image.depth(),
                      ": expected 8 or 16 bits, unsigned");
  PixelFormat format = PixelFormat::bgr8;
  switch (image.channels()) {
    case 1:
      format = wide ? PixelFormat::gray16 : PixelFormat::gray8;
      break;
    case 3:
      format = wide ? PixelFormat::bgr16 : PixelFormat::bgr8;
      break;
    case 4:
      format = wide ? PixelFormat::bgra16 : PixelFormat::bgra8;
      break;
    default:
      throw InputError(
          concatenate("an image of ", image.channels(), " channels: expected 1, 3 or 4"));
  }
  return {image.data, image.cols, image.rows, static_cast<std::ptrdiff_t>(image.step[0]), format};
}

inline cv::Rect2d to_rect(const Box& box) {
  return {box.x, box.y, box.width, box.height};
}
inline Box to_box(const cv::Rect2d& rect) {
  return {rect.x, rect.y, rect.width, rect.height};
}

}  // namespace v1
}  // namespace atomtrack
