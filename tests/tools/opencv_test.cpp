// SPDX-License-Identifier: MIT
#include "atomtrack/opencv.hpp"

#include <doctest/doctest.h>

#include "atomtrack/image/frame.hpp"

using namespace atomtrack;

namespace {

/// The first pixel of `image` as atomtrack reads it.
std::vector<std::uint8_t> first_pixel(const cv::Mat& image) {
  FrameRegion region;
  extract_region(view(image), {}, region);
  return region.pixels.to_vector();
}

}  // namespace

TEST_CASE("every kind of image is read in OpenCV's channel order") {
  using Bytes = std::vector<std::uint8_t>;
  CHECK(first_pixel(cv::Mat(2, 3, CV_8UC3, cv::Scalar(1, 2, 3))) == Bytes{3, 2, 1});
  CHECK(first_pixel(cv::Mat(2, 3, CV_8UC4, cv::Scalar(1, 2, 3, 4))) == Bytes{3, 2, 1});
  CHECK(first_pixel(cv::Mat(2, 3, CV_8UC1, cv::Scalar(9))) == Bytes{9, 9, 9});
  CHECK(first_pixel(cv::Mat(2, 3, CV_16UC3, cv::Scalar(256, 512, 1023))) == Bytes{3, 2, 1});
  CHECK(first_pixel(cv::Mat(2, 3, CV_16UC4, cv::Scalar(256, 512, 768, 9))) == Bytes{3, 2, 1});
  CHECK(first_pixel(cv::Mat(2, 3, CV_16UC1, cv::Scalar(0x1234))) == Bytes{0x12, 0x12, 0x12});
}

TEST_CASE("a part of an image keeps the whole one's rows") {
  cv::Mat image(4, 5, CV_8UC1);
  for (int i = 0; i < 20; ++i) image.data[i] = static_cast<unsigned char>(i);
  const ImageView part = view(image(cv::Rect(1, 2, 3, 2)));
  CHECK(part.width == 3);
  CHECK(part.height == 2);
  CHECK(part.stride == 5);
  CHECK(*static_cast<const unsigned char*>(part.data) == 11);
}

TEST_CASE("what is no image is refused") {
  CHECK_THROWS_AS(view(cv::Mat()), InputError);
  CHECK_THROWS_AS(view(cv::Mat(2, 2, CV_32FC3)), InputError);
  CHECK_THROWS_AS(view(cv::Mat(2, 2, CV_8SC1)), InputError);
  CHECK_THROWS_AS(view(cv::Mat(2, 2, CV_8UC2)), InputError);
  const int cube[] = {2, 2, 2};
  CHECK_THROWS_AS(view(cv::Mat(3, cube, CV_8UC1)), InputError);
}

TEST_CASE("boxes go to OpenCV and back") {
  const Box box{1.5, -2.25, 30, 40.125};
  CHECK(to_rect(box) == cv::Rect2d(1.5, -2.25, 30, 40.125));
  CHECK(to_box(to_rect(box)) == box);
}
