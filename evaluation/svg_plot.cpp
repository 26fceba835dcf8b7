// SPDX-License-Identifier: MIT
#include "evaluation/svg_plot.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <sstream>

namespace atomtrack {
namespace {

constexpr double left = 46, top = 30, plot_width = 320, plot_height = 240, bottom = 48, right = 14;
constexpr double line_height = 17;
constexpr int ticks = 5;

constexpr std::array<const char*, 7> colours{"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                             "#56b4e9", "#e69f00", "#7f7f7f"};
constexpr std::array<const char*, 3> dashes{"", " stroke-dasharray=\"7 3\"",
                                            " stroke-dasharray=\"2 3\""};

std::string coordinate(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f", value);
  return text;
}

std::string tick_label(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.3g", value);
  return text;
}

/// A step of 1, 2 or 5 times a power of ten that divides `end` into about five.
double tick_step(double end) {
  const double raw = end / ticks;
  const double power = std::pow(10.0, std::floor(std::log10(raw)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (raw <= factor * power * 1.0001) return factor * power;
  }
  return 10.0 * power;
}

}  // namespace

std::string xml_escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        if (static_cast<unsigned char>(c) >= 0x20) result += c;
    }
  }
  return result;
}

std::string series_colour(std::size_t n) {
  return colours[n % colours.size()];
}

std::string series_style(std::size_t n) {
  return "stroke=\"" + series_colour(n) + "\"" + dashes[n / colours.size() % dashes.size()];
}

std::string svg_plot(const Plot& plot) {
  const double legend = top + plot_height + bottom;
  const double height = legend + line_height * static_cast<double>(plot.series.size()) + 4;
  const double width = left + plot_width + right;
  const auto x = [&](double value) {
    return coordinate(left + plot_width * std::clamp(value / plot.x_end, 0.0, 1.0));
  };
  const auto y = [&](double value) {
    return coordinate(top + plot_height * (1.0 - std::clamp(value / plot.y_end, 0.0, 1.0)));
  };
  std::ostringstream svg;
  svg << "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " << width << " " << height
      << "\" role=\"img\" font-family=\"sans-serif\" font-size=\"12\" "
         "fill=\"currentColor\">\n<title>"
      << xml_escaped(plot.title) << "</title>\n<text x=\"" << left
      << "\" y=\"16\" font-weight=\"600\">" << xml_escaped(plot.title) << "</text>\n"
      << "<g stroke=\"currentColor\" stroke-opacity=\"0.18\">";
  std::ostringstream labels;
  for (const bool horizontal : {true, false}) {
    const double end = horizontal ? plot.x_end : plot.y_end, step = tick_step(end);
    for (double value = 0.0; value <= end * 1.0001; value += step) {
      const std::string at = horizontal ? x(value) : y(value);
      if (horizontal) {
        svg << "<path d=\"M" << at << " " << top << "V" << top + plot_height << "\"/>";
        labels << "<text x=\"" << at << "\" y=\"" << top + plot_height + 16
               << "\" text-anchor=\"middle\">" << tick_label(value) << "</text>";
      } else {
        svg << "<path d=\"M" << left << " " << at << "H" << left + plot_width << "\"/>";
        labels << "<text x=\"" << left - 6 << "\" y=\"" << at << "\" dy=\"4\" text-anchor=\"end\">"
               << tick_label(value) << "</text>";
      }
    }
  }
  svg << "</g>\n"
      << labels.str() << "\n<text x=\"" << left + plot_width / 2 << "\" y=\""
      << top + plot_height + 36 << "\" text-anchor=\"middle\">" << xml_escaped(plot.x_label)
      << "</text>\n<text transform=\"translate(11 " << top + plot_height / 2
      << ") rotate(-90)\" text-anchor=\"middle\">" << xml_escaped(plot.y_label) << "</text>\n";
  // The first series is drawn last, on top.
  for (std::size_t n = plot.series.size(); n-- > 0;) {
    svg << "<polyline fill=\"none\" stroke-width=\"2\" stroke-linejoin=\"round\" "
        << series_style(plot.series[n].style) << " points=\"";
    for (const auto& [px, py] : plot.series[n].points) svg << x(px) << "," << y(py) << " ";
    svg << "\"/>\n";
  }
  for (std::size_t n = 0; n < plot.series.size(); ++n) {
    const double at = legend + line_height * (static_cast<double>(n) + 0.5);
    const double from = left;
    svg << "<path stroke-width=\"2.5\" " << series_style(plot.series[n].style) << " d=\"M" << from
        << " " << at << "h22\"/>"
        << "<text x=\"" << from + 28 << "\" y=\"" << at + 4 << "\">"
        << xml_escaped(plot.series[n].label) << "</text>\n";
  }
  svg << "</svg>\n";
  return svg.str();
}

}  // namespace atomtrack
