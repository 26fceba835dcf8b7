// SPDX-License-Identifier: MIT
// opencv_video VIDEO X Y WIDTH HEIGHT WEIGHTS: prints the object's box in every frame of a video
// that OpenCV reads.
#include <cstdio>
#include <cstdlib>
#include <opencv2/videoio.hpp>

#include "atomtrack/opencv.hpp"
#include "atomtrack/tracker/tracker.hpp"

int main(int argc, char** argv) {
  using namespace atomtrack;
  if (argc != 7)
    return std::fprintf(stderr, "usage: opencv_video VIDEO X Y WIDTH HEIGHT WEIGHTS\n"), 2;
  try {
    const Model model = Model::load(argv[6]);
    Tracker tracker(model, model.has_iou_predictor() ? Options::released()
                                                     : Options::released().variant("multi-scale"));
    cv::VideoCapture video(argv[1]);
    cv::Mat frame;
    if (!video.read(frame)) throw InputError("cannot read the video");
    Result result = tracker.init(view(frame), Box{std::atof(argv[2]), std::atof(argv[3]),
                                                  std::atof(argv[4]), std::atof(argv[5])});
    do {
      std::printf("%.2f,%.2f,%.2f,%.2f %.3f %s\n", result.box.x, result.box.y, result.box.width,
                  result.box.height, result.score, to_string(result.state));
      if (!video.read(frame)) break;
      result = tracker.update(view(frame));
    } while (true);
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
