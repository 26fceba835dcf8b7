// SPDX-License-Identifier: MIT
#include <array>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <optional>

#include "atomtrack/evaluation/metrics.hpp"
#include "atomtrack/evaluation/vot.hpp"
#include "atomtrack/opencv.hpp"
#include "tools/commands.hpp"
#include "tools/common_options.hpp"
#include "tools/trax_protocol.hpp"

namespace atomtrack::tools {
namespace {

struct TraxArguments {
  TrackerOptions tracker;
  std::string polygon = "equal-area";
};

/// The last version in which initialisation is one message with image and region, as the published
/// specification has it; clients of later versions fall back to it.
constexpr const char* protocol_version = "3";

TraxMessage hello() {
  return {"hello",
          {},
          {{"trax.version", protocol_version},
           {"trax.name", "atomtrack"},
           {"trax.identifier", ATOMTRACK_VERSION},
           {"trax.image", "path;memory;data;"},
           {"trax.region", "rectangle;polygon;"},
           {"trax.channels", "color"}}};
}

std::string decimal(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.6f", value);
  return text;
}

/// The box to track for a region in TraX's text form.
Box box_of(const std::string& text, const std::string& polygon_rule) {
  const std::optional<vot::Region> region = vot::parse_region(text);
  require<InputError>(region.has_value(), "TraX: a region '", text.substr(0, 40),
                      "': expected left,top,width,height or a polygon");
  if (const Box* box = std::get_if<Box>(&*region)) return *box;
  const vot::Polygon& polygon = std::get<vot::Polygon>(*region);
  if (polygon.size() == 4) {
    std::array<double, 8> corners{};
    for (std::size_t i = 0; i < polygon.size(); ++i) {
      corners[2 * i] = polygon[i].x;
      corners[2 * i + 1] = polygon[i].y;
    }
    return polygon_rule == "equal-area" ? rectangle_of_equal_area(corners)
                                        : rectangle_around(corners);
  }
  vot::Point low = polygon[0], high = polygon[0];
  for (const vot::Point& p : polygon) {
    low = {std::min(low.x, p.x), std::min(low.y, p.y)};
    high = {std::max(high.x, p.x), std::max(high.y, p.y)};
  }
  return {low.x, low.y, high.x - low.x, high.y - low.y};
}

/// The tracker as a TraX server: answers until it is told to quit or the client is gone.
class TraxServer {
 public:
  TraxServer(Tracker& tracker, TraxChannel& channel, std::string polygon_rule)
      : tracker_(tracker), channel_(channel), polygon_rule_(std::move(polygon_rule)) {}

  void run() {
    channel_.write_line(to_text(hello()));
    while (const std::optional<std::string> line = channel_.read_line()) {
      const std::optional<TraxMessage> message = parse_trax(*line);
      if (!message) continue;
      if (message->name == "quit") return;
      answer(*message);
    }
  }

 private:
  void answer(const TraxMessage& message) {
    if (message.name == "initialize") {
      require<InputError>(message.arguments.size() <= 2,
                          "TraX: several objects or channels in one 'initialize': one object in "
                          "one colour image is supported");
      require<InputError>(message.arguments.size() == 2,
                          "TraX: 'initialize' without an image and a region");
      const cv::Mat image = trax_image(message.arguments[0]);
      report(tracker_.init(view(image), box_of(message.arguments[1], polygon_rule_)));
      initialized_ = true;
    } else if (message.name == "frame") {
      require<InputError>(initialized_, "TraX: 'frame' before 'initialize'");
      require<InputError>(message.arguments.size() == 1, "TraX: 'frame' with ",
                          message.arguments.size(), " arguments: expected one image");
      const cv::Mat image = trax_image(message.arguments[0]);
      report(tracker_.update(view(image)));
    } else {
      throw InputError("TraX: message '" + message.name + "': expected initialize, frame or quit");
    }
  }

  void report(const Result& result) {
    channel_.write_line(to_text(TraxMessage{"state",
                                            {vot::to_text(result.box)},
                                            {{"confidence", decimal(result.score)},
                                             {"state", to_string(result.state)},
                                             {"time", decimal(result.milliseconds.total)}}}));
  }

  Tracker& tracker_;
  TraxChannel& channel_;
  std::string polygon_rule_;
  bool initialized_ = false;
};

void serve(const TraxArguments& arguments) {
  arguments.tracker.apply_threads();
  const Options options = arguments.tracker.options();
  TraxChannel channel;
  try {
    Tracker tracker(
        Model::load(require_weights(arguments.tracker.weights), arguments.tracker.chosen_device()),
        options);
    TraxServer(tracker, channel, arguments.polygon).run();
  } catch (const Error& error) {
    // The protocol wants the session ended at anything inappropriate; the reason is for its log.
    try {
      channel.write_line(to_text(TraxMessage{"quit", {}, {{"trax.reason", error.what()}}}));
    } catch (const InputError&) {
      std::cerr << "atomtrack: the TraX client is gone\n";
    }
    throw;
  }
}

}  // namespace

void add_trax_command(CommandLine& line, int&) {
  auto request = std::make_shared<TraxArguments>();
  request->tracker.preset = "vot2018";
  Arguments arguments =
      line.command("trax", "track for an evaluator, such as the VOT toolkit, by the TraX protocol");
  arguments.choice("--polygon", request->polygon, {"equal-area", "around"},
                   "the box for a rotated one: of equal-area, or the one around its corners");
  request->tracker.add_to(arguments);
  arguments.footer(
      "Started by the evaluator, which talks to it by its standard input and output, or on the\n"
      "local port that TRAX_SOCKET names. docs/evaluation_vot.md shows how.");
  arguments.run([request] { serve(*request); });
}

}  // namespace atomtrack::tools
