// SPDX-License-Identifier: MIT
#include "tools/trax_protocol.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "atomtrack/tensor/error.hpp"

namespace atomtrack::tools {
namespace {

const std::string prefix = "@@TRAX:";
constexpr std::size_t longest_key = 64;
constexpr long largest_side = 1 << 16;

bool is_key(const std::string& text) {
  return !text.empty() && text.size() <= longest_key &&
         std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0 || c == '.' || c == '_'; });
}

/// The word at `at`, quotes and escapes undone; `at` moves behind it.
std::string take_word(const std::string& line, std::size_t& at) {
  std::string word;
  bool quoted = false;
  for (; at < line.size() && (quoted || line[at] != ' '); ++at) {
    if (line[at] == '"') {
      quoted = !quoted;
    } else if (line[at] == '\\') {
      ++at;
      require<InputError>(at < line.size(), "TraX: a line ends in a backslash");
      word += line[at] == 'n' ? '\n' : line[at];
    } else {
      word += line[at];
    }
  }
  require<InputError>(!quoted, "TraX: a quote is not closed");
  return word;
}

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (c == '\n') {
      result += "\\n";
    } else {
      result += c;
    }
  }
  return result + '"';
}

/// The value of each base64 digit, -1 for other characters (RFC 4648, section 4).
std::array<int, 256> base64_digits() {
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::array<int, 256> values{};
  values.fill(-1);
  for (std::size_t i = 0; i < digits.size(); ++i)
    values[static_cast<unsigned char>(digits[i])] = static_cast<int>(i);
  return values;
}

std::vector<std::uint8_t> decode_base64(const std::string& text, std::size_t start) {
  static const std::array<int, 256> digits = base64_digits();
  std::vector<std::uint8_t> bytes;
  std::uint32_t bits = 0;
  int count = 0;
  const std::size_t end = text.find_last_not_of("=\n") + 1;
  for (std::size_t i = start; i < end; ++i) {
    if (text[i] == '\n') continue;  // encoders may break their lines
    const int digit = digits[static_cast<unsigned char>(text[i])];
    require<InputError>(digit >= 0, "TraX: an image's base64 has the character '", text[i], "'");
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes.push_back(static_cast<std::uint8_t>(bits >> count & 0xFF));
    }
  }
  return bytes;
}

std::string percent_decoded(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escaped = text[i] == '%' && i + 2 < text.size() &&
                         std::isxdigit(static_cast<unsigned char>(text[i + 1])) != 0 &&
                         std::isxdigit(static_cast<unsigned char>(text[i + 2])) != 0;
    result += escaped ? static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16)) : text[i];
    if (escaped) i += 2;
  }
  return result;
}

cv::Mat image_of_path(std::string path) {
  // Clients write the path as it is, but a URL may have it escaped.
  if (!std::filesystem::exists(path)) path = percent_decoded(path);
  cv::Mat image;
  try {
    image = cv::imread(path, cv::IMREAD_COLOR | cv::IMREAD_IGNORE_ORIENTATION);
  } catch (const cv::Exception& error) {
    throw InputError("TraX: " + path + ": " + error.what());
  }
  require<InputError>(!image.empty(), "TraX: ", path, ": is missing or no image");
  return image;
}

/// The field of `text` from `at` to the next semicolon; `at` moves behind that.
std::string take_field(const std::string& text, std::size_t& at) {
  const std::size_t end = text.find(';', at);
  require<InputError>(end != std::string::npos, "TraX: an image's header is not complete");
  std::string field = text.substr(at, end - at);
  at = end + 1;
  return field;
}

int take_side(const std::string& text, std::size_t& at) {
  const std::string field = take_field(text, at);
  char* end = nullptr;
  const long side = std::strtol(field.c_str(), &end, 10);
  require<InputError>(*end == '\0' && side > 0 && side <= largest_side, "TraX: an image's side '",
                      field, "': expected 1 to ", largest_side);
  return static_cast<int>(side);
}

cv::Mat image_of_memory(const std::string& uri, std::size_t at) {
  const int width = take_side(uri, at), height = take_side(uri, at);
  const std::string format = take_field(uri, at);
  require<InputError>(format == "rgb" || format == "gray8" || format == "gray16",
                      "TraX: pixel format '", format, "': expected rgb, gray8 or gray16");
  const int type = format == "rgb" ? CV_8UC3 : format == "gray8" ? CV_8UC1 : CV_16UC1;
  std::vector<std::uint8_t> bytes = decode_base64(uri, at);
  const cv::Mat pixels(height, width, type, bytes.data());
  const std::size_t expected = pixels.total() * pixels.elemSize();
  require<InputError>(bytes.size() == expected, "TraX: an image of ", width, "x", height, " ",
                      format, " with ", bytes.size(), " bytes: expected ", expected);
  cv::Mat image;
  if (type == CV_8UC3) {
    cv::cvtColor(pixels, image, cv::COLOR_RGB2BGR);
  } else {
    image = pixels.clone();
  }
  return image;
}

cv::Mat image_of_data(const std::string& uri, std::size_t at) {
  const std::string type = take_field(uri, at);
  require<InputError>(type == "image/jpeg" || type == "image/png", "TraX: data of type '", type,
                      "': expected image/jpeg or image/png");
  // The specification has a semicolon behind "base64", RFC 2397 a comma.
  const std::string base64 = "base64";
  require<InputError>(uri.compare(at, base64.size(), base64) == 0 &&
                          uri.find_first_of(";,", at) == at + base64.size(),
                      "TraX: image data that is not base64");
  const std::vector<std::uint8_t> bytes = decode_base64(uri, at + base64.size() + 1);
  cv::Mat image;
  try {
    image = cv::imdecode(bytes, cv::IMREAD_COLOR | cv::IMREAD_IGNORE_ORIENTATION);
  } catch (const cv::Exception& error) {
    throw InputError(std::string("TraX: image data: ") + error.what());
  }
  require<InputError>(!image.empty(), "TraX: data that is no ", type);
  return image;
}

int connect_to(const std::string& port_name) {
  char* end = nullptr;
  const long port = std::strtol(port_name.c_str(), &end, 10);
  require<InputError>(*end == '\0' && port > 0 && port < 65536, "TRAX_SOCKET=", port_name,
                      ": expected a port number");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int connection = socket(AF_INET, SOCK_STREAM, 0);
  const bool connected =
      connection >= 0 &&
      connect(connection, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  if (!connected && connection >= 0) close(connection);
  require<InputError>(connected, "TRAX_SOCKET=", port_name,
                      ": nobody listens on that port of this machine");
  return connection;
}

}  // namespace

std::optional<TraxMessage> parse_trax(const std::string& line) {
  if (line.compare(0, prefix.size(), prefix) != 0) return std::nullopt;
  std::size_t at = prefix.size();
  TraxMessage message;
  message.name = take_word(line, at);
  while (at < line.size()) {
    if (line[at] == ' ' || line[at] == '\r') {
      ++at;
      continue;
    }
    const std::string word = take_word(line, at);
    const std::size_t equals = word.find('=');
    if (equals != std::string::npos && is_key(word.substr(0, equals))) {
      message.properties.emplace_back(word.substr(0, equals), word.substr(equals + 1));
    } else {
      message.arguments.push_back(word);
    }
  }
  return message;
}

std::string to_text(const TraxMessage& message) {
  std::string text = prefix + message.name;
  for (const std::string& argument : message.arguments) text.append(" ").append(quoted(argument));
  for (const auto& [key, value] : message.properties)
    text.append(" ").append(quoted(key + "=" + value));
  return text;
}

cv::Mat trax_image(const std::string& uri) {
  const auto starts = [&](const char* scheme) { return uri.rfind(scheme, 0) == 0; };
  if (starts("file://")) return image_of_path(uri.substr(std::strlen("file://")));
  if (starts("image:")) return image_of_memory(uri, std::strlen("image:"));
  if (starts("data:")) return image_of_data(uri, std::strlen("data:"));
  throw InputError("TraX: an image '" + uri.substr(0, 40) +
                   "': expected file://, image: or data:image/");
}

TraxChannel::TraxChannel() {
  std::signal(SIGPIPE, SIG_IGN);                  // a client that is gone shows when we write
  const char* port = std::getenv("TRAX_SOCKET");  // NOLINT(concurrency-mt-unsafe)
  if (port != nullptr && *port != '\0') {
    input_ = connect_to(port);
    output_ = dup(input_);
  } else {
    input_ = dup(STDIN_FILENO);
    output_ = dup(STDOUT_FILENO);
  }
  require<InputError>(input_ >= 0 && output_ >= 0, "TraX: no standard input or output");
  dup2(STDERR_FILENO, STDOUT_FILENO);
}

TraxChannel::~TraxChannel() {
  close(input_);
  close(output_);
}

std::optional<std::string> TraxChannel::read_line() {
  std::size_t searched = 0;
  while (true) {
    const std::size_t end = buffer_.find('\n', searched);
    if (end != std::string::npos) {
      std::string line = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      if (!line.empty() && line.back() == '\r') line.pop_back();
      return line;
    }
    if (ended_) return std::nullopt;
    searched = buffer_.size();
    std::array<char, 1 << 16> part;
    const ssize_t count = read(input_, part.data(), part.size());
    if (count < 0 && errno == EINTR) continue;
    if (count > 0) {
      buffer_.append(part.data(), static_cast<std::size_t>(count));
    } else {
      ended_ = true;
    }
  }
}

void TraxChannel::write_line(const std::string& line) {
  const std::string text = line + "\n";
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t count = write(output_, text.data() + done, text.size() - done);
    if (count < 0 && errno == EINTR) continue;
    require<InputError>(count > 0, "TraX: the client is gone");
    done += static_cast<std::size_t>(count);
  }
}

}  // namespace atomtrack::tools
