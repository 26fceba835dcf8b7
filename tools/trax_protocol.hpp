// SPDX-License-Identifier: MIT
#pragma once

#include <opencv2/core.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace atomtrack::tools {

// The TraX protocol between an evaluator (its "client") and a tracker (its "server"): lines of text
// over pipes or a socket. Written from its specification, https://trax.readthedocs.io.

/// A line of the protocol: @@TRAX:name, arguments, key=value properties.
struct TraxMessage {
  std::string name;
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> properties;
};

/// Reads a line without its end. Nothing for a line that is not of the protocol, which may lie
/// between those that are; throws InputError for one that cannot be made out.
std::optional<TraxMessage> parse_trax(const std::string& line);
/// The line without its end: every argument quoted, with quotes, backslashes and newlines escaped.
std::string to_text(const TraxMessage& message);

/// An image as it is sent: file://PATH; image:WIDTH;HEIGHT;FORMAT;BASE64 with rgb, gray8 or gray16
/// (in the machine's byte order); data:image/jpeg or image/png;base64;BASE64. Grey or in OpenCV's
/// order. Throws InputError for other forms and for what cannot be read.
cv::Mat trax_image(const std::string& uri);

/// The line-wise channel to the client: standard input and output, or the port of the local machine
/// that TRAX_SOCKET names.
class TraxChannel {
 public:
  /// Connects. Standard output is the protocol's alone from here on: what else is printed goes to
  /// standard error. Throws InputError.
  TraxChannel();
  ~TraxChannel();
  TraxChannel(const TraxChannel&) = delete;
  TraxChannel& operator=(const TraxChannel&) = delete;

  /// The next line without its end; nothing at the end of the stream.
  std::optional<std::string> read_line();
  /// Throws InputError when the client is gone.
  void write_line(const std::string& line);

 private:
  int input_ = -1, output_ = -1;
  std::string buffer_;
  bool ended_ = false;
};

}  // namespace atomtrack::tools
