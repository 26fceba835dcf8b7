// SPDX-License-Identifier: MIT
// Tracks a bright square in frames that are plain arrays of bytes: no OpenCV, no files but the
// weights.
#include <cstdint>
#include <cstdio>
#include <vector>

#include "atomtrack/tensor/error.hpp"
#include "atomtrack/tracker/tracker.hpp"

int main(int argc, char** argv) {
  using namespace atomtrack;
  constexpr int width = 320, height = 240;
  try {
    const Model model = argc > 1 ? Model::load(argv[1]) : Model::generated();
    Options options = Options::released();
    if (!model.has_iou_predictor()) options = options.variant("multi-scale");
    Tracker tracker(model, options);
    std::vector<std::uint8_t> pixels(width * height * 3);
    for (int number = 0; number < 5; ++number) {
      const int left = 100 + 3 * number, top = 80 + 2 * number;
      for (int i = 0; i < width * height; ++i) {
        const int x = i % width - left, y = i / width - top;
        const bool inside = x >= 0 && x < 50 && y >= 0 && y < 40;
        for (int c = 0; c < 3; ++c)
          pixels[static_cast<std::size_t>(3 * i + c)] =
              static_cast<std::uint8_t>(inside ? 255 - 3 * x - 40 * c : 60 + y % 40);
      }
      const ImageView frame{pixels.data(), width, height, 0, PixelFormat::rgb8};
      const Result result =
          number == 0 ? tracker.init(frame, Box{100, 80, 50, 40}) : tracker.update(frame);
      std::printf("%d: %.1f,%.1f %.1fx%.1f score %.2f %s\n", number, result.box.x, result.box.y,
                  result.box.width, result.box.height, result.score, to_string(result.state));
    }
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
