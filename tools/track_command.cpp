// SPDX-License-Identifier: MIT
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <opencv2/highgui.hpp>
#include <optional>

#include "atomtrack/opencv.hpp"
#include "tools/commands.hpp"
#include "tools/common_options.hpp"
#include "tools/drawing.hpp"
#include "tools/frame_source.hpp"
#include "tools/output.hpp"

namespace atomtrack::tools {
namespace {

namespace fs = std::filesystem;

constexpr int interrupted_status = 130;
constexpr std::size_t sheet_frames = 12;
constexpr double video_rate = 25.0;

std::atomic<bool> interrupted{false};

struct TrackArguments {
  std::string source, box, boxes, video, frames, json, sheet;
  bool select = false;
  std::int64_t start_frame = 0, max_frames = 0;
  TrackerOptions tracker;
};

/// "x,y,w,h" in pixels.
Box parse_box(const std::string& text) {
  std::array<double, 4> values{};
  const char* at = text.c_str();
  for (std::size_t i = 0; i < 4; ++i) {
    char* end = nullptr;
    values[i] = std::strtod(at, &end);
    const char expected = i < 3 ? ',' : '\0';
    require<InputError>(end != at && *end == expected, "--box ", text,
                        ": expected four numbers x,y,width,height");
    at = end + 1;
  }
  return {values[0], values[1], values[2], values[3]};
}

Box select_box(const cv::Mat& frame) {
  const bool display =
      std::getenv("DISPLAY") != nullptr || std::getenv("WAYLAND_DISPLAY") != nullptr;  // NOLINT
  require<InputError>(
      display, "--select needs a display to draw the box on; give --box x,y,width,height instead");
  const cv::Rect chosen =
      cv::selectROI("atomtrack: draw the box, then press Enter", to_bgr(frame), false, false);
  cv::destroyAllWindows();
  require<InputError>(chosen.area() > 0, "--select: no box was drawn");
  return to_box(chosen);
}

/// A line on the terminal that says how far we are; nothing in a pipe.
class Progress {
 public:
  Progress(bool wanted, long total)
      : wanted_(wanted && isatty(STDERR_FILENO) != 0), total_(total) {}
  ~Progress() {
    if (wanted_) std::cerr << "\r\033[K";
  }
  void show(long done, double milliseconds, const Result& result) {
    if (!wanted_) return;
    std::cerr << "\r\033[K" << done;
    if (total_ > 0) {
      constexpr int width = 30;
      const int filled = static_cast<int>(
          std::min(1.0, static_cast<double>(done) / static_cast<double>(total_)) * width);
      std::cerr << '/' << total_ << " [" << std::string(static_cast<std::size_t>(filled), '#')
                << std::string(static_cast<std::size_t>(width - filled), '.') << ']';
    }
    std::cerr << "  " << static_cast<int>(1000.0 / std::max(1e-3, milliseconds)) << " frames/s  "
              << to_string(result.state) << std::flush;
  }

 private:
  bool wanted_;
  long total_;
};

nlohmann::json to_json(const Result& result, long frame) {
  const StageTimes& t = result.milliseconds;
  return {{"frame", frame},
          {"box", {result.box.x, result.box.y, result.box.width, result.box.height}},
          {"score", result.score},
          {"state", to_string(result.state)},
          {"milliseconds",
           {{"crop", t.crop},
            {"features", t.features},
            {"classify", t.classify},
            {"refine", t.refine},
            {"update", t.update},
            {"total", t.total}}}};
}

std::string box_line(const Box& box) {
  char line[128];
  std::snprintf(line, sizeof(line), "%.3f,%.3f,%.3f,%.3f\n", box.x, box.y, box.width, box.height);
  return line;
}

/// What a run leaves behind, each only if asked for.
class Outputs {
 public:
  Outputs(const TrackArguments& arguments) : arguments_(arguments), sheet_(sheet_frames) {
    for (const std::string& file :
         {arguments.boxes, arguments.json, arguments.video, arguments.sheet}) {
      if (!file.empty()) check_writable(file);
    }
    if (!arguments.frames.empty()) {
      std::error_code error;
      fs::create_directories(arguments.frames, error);
      require<InputError>(fs::is_directory(arguments.frames), arguments.frames,
                          ": cannot be made a folder for frames");
    }
    if (!arguments.video.empty()) video_.emplace(arguments.video, video_rate);
  }

  void add(const cv::Mat& frame, const Result& result, long number) {
    boxes_ += box_line(result.box);
    if (!arguments_.json.empty()) frames_.push_back(to_json(result, number));
    (number == 0 ? first_frame_ms_ : tracked_ms_) += result.milliseconds.total;
    ++count_;
    if (!video_ && arguments_.frames.empty() && arguments_.sheet.empty()) return;
    cv::Mat drawn = to_bgr(frame);
    draw_result(drawn, result, number);
    if (video_) video_->write(drawn);
    if (!arguments_.sheet.empty()) sheet_.add(drawn);
    if (!arguments_.frames.empty()) {
      char name[32];
      std::snprintf(name, sizeof(name), "%06ld.png", number);
      write_image((fs::path(arguments_.frames) / name).string(), drawn);
    }
  }

  double frames_per_second() const {
    return count_ > 1 && tracked_ms_ > 0.0 ? 1000.0 * static_cast<double>(count_ - 1) / tracked_ms_
                                           : 0.0;
  }

  void finish(const TrackArguments& arguments, const std::string& weights) {
    if (!arguments.boxes.empty()) write_text_file(arguments.boxes, boxes_);
    if (video_) video_->finish();
    if (!arguments.sheet.empty()) write_image(arguments.sheet, sheet_.picture());
    if (!arguments.json.empty()) {
      const nlohmann::json document{{"source", arguments.source},
                                    {"weights", weights},
                                    {"preset", arguments.tracker.preset},
                                    {"variant", arguments.tracker.variant},
                                    {"seed", arguments.tracker.seed},
                                    {"frames", frames_},
                                    {"summary",
                                     {{"frames", count_},
                                      {"frames_per_second", frames_per_second()},
                                      {"first_frame_ms", first_frame_ms_},
                                      {"peak_memory_mb", peak_resident_mb()}}}};
      write_text_file(arguments.json, document.dump(1) + "\n");
    }
  }

  long count() const { return count_; }
  double first_frame_ms() const { return first_frame_ms_; }

 private:
  const TrackArguments& arguments_;
  std::string boxes_;
  nlohmann::json frames_ = nlohmann::json::array();
  std::optional<VideoOutput> video_;
  ContactSheet sheet_;
  long count_ = 0;
  double first_frame_ms_ = 0.0, tracked_ms_ = 0.0;
};

void track(const TrackArguments& arguments, int& exit_status) {
  require<InputError>(arguments.select != !arguments.box.empty(),
                      "which object? give either --box x,y,width,height or --select");
  Box box = arguments.select ? Box{} : parse_box(arguments.box);
  arguments.tracker.apply_threads();
  const Options options = arguments.tracker.options();
  const auto source = open_source(arguments.source);
  Outputs outputs(arguments);

  cv::Mat frame;
  for (long skipped = 0; skipped <= arguments.start_frame; ++skipped) {
    require<InputError>(source->read(frame), arguments.source, ": has only ", skipped,
                        " frames, --start-frame is ", arguments.start_frame);
  }
  const std::string weights = require_weights(arguments.tracker.weights);
  Tracker tracker(Model::load(weights, arguments.tracker.chosen_device()), options);
  if (arguments.select) box = select_box(frame);

  long total = std::max(0L, source->count() - arguments.start_frame);
  if (arguments.max_frames > 0)
    total = total > 0 ? std::min(total, arguments.max_frames) : arguments.max_frames;
  std::signal(SIGINT, [](int) { interrupted = true; });
  std::signal(SIGTERM, [](int) { interrupted = true; });
  {
    Progress progress(true, total);
    Result result = tracker.init(view(frame), box);
    outputs.add(frame, result, 0);
    for (long number = 1;
         !interrupted && (arguments.max_frames == 0 || number < arguments.max_frames); ++number) {
      if (!source->read(frame)) break;
      result = tracker.update(view(frame));
      outputs.add(frame, result, number);
      progress.show(number + 1, result.milliseconds.total, result);
    }
  }
  outputs.finish(arguments, weights);
  std::cout << outputs.count() << " frames, " << std::round(10 * outputs.frames_per_second()) / 10
            << " frames/s, first frame " << std::lround(outputs.first_frame_ms())
            << " ms, peak memory " << std::lround(peak_resident_mb()) << " MiB\n";
  if (interrupted) exit_status = interrupted_status;
}

}  // namespace

void add_track_command(CommandLine& line, int& exit_status) {
  auto request = std::make_shared<TrackArguments>();
  Arguments arguments = line.command("track", "follow an object through a video");
  arguments.text("source", request->source,
                 "video file, folder of images, pattern such as frames/%04d.png, or camera number",
                 "SOURCE");
  arguments.require("source");
  arguments.text(
      "--box", request->box,
      "the object in the first frame: x,y,width,height in pixels, 0-based top-left corner",
      "X,Y,W,H");
  arguments.flag("--select", request->select, "draw the box in a window instead");
  request->tracker.add_to(arguments);
  arguments.number("--start-frame", request->start_frame, "frame to start at", std::int64_t{0});
  arguments.number("--max-frames", request->max_frames, "stop after so many frames (0: all)",
                   std::int64_t{0});
  arguments.text("--boxes", request->boxes, "write one line x,y,w,h per frame, the first included",
                 "FILE");
  arguments.text("--video", request->video, "write a video with the boxes drawn", "FILE.mp4");
  arguments.text("--frames", request->frames, "write every frame with its box as PNG", "DIR");
  arguments.text("--sheet", request->sheet, "write one picture with a dozen frames", "FILE.png");
  arguments.text("--json", request->json, "write boxes, scores, states and times", "FILE");
  arguments.run([request, &exit_status] { track(*request, exit_status); });
}

}  // namespace atomtrack::tools
