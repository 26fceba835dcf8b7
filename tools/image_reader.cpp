// SPDX-License-Identifier: MIT
#include "tools/image_reader.hpp"

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

namespace atomtrack::tools {

ImageReader opencv_image_reader() {
  return [](const std::string& path) {
    cv::Mat image;
    try {
      image = cv::imread(path, cv::IMREAD_COLOR);
    } catch (const cv::Exception& error) {
      throw InputError(path + ": " + error.what());
    }
    require<InputError>(!image.empty(), path, ": is missing or no image that OpenCV can read");
    Tensor<std::uint8_t> pixels(Shape{image.rows, image.cols, 3});
    cv::Mat rgb(image.rows, image.cols, CV_8UC3, pixels.data());
    cv::cvtColor(image, rgb, cv::COLOR_BGR2RGB);
    return pixels;
  };
}

}  // namespace atomtrack::tools
