// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace atomtrack {

/// A line of a plot.
struct PlotSeries {
  std::string label;
  std::size_t style = 0;  ///< of `series_style`: the same thing looks the same in every plot
  std::vector<std::pair<double, double>> points;
};

/// A diagram of some lines over common axes that start at 0.
struct Plot {
  std::string title;
  std::string x_label, y_label;
  double x_end = 1.0, y_end = 1.0;
  std::vector<PlotSeries> series;  ///< drawn in this order; the legend keeps it
};

/// An SVG element without a fixed size: text in the colour of its surroundings, lines in the
/// series' colours and dashes (`series_style`), the legend below the diagram.
std::string svg_plot(const Plot& plot);

/// The colour and dash pattern of the n-th series as SVG attributes: Okabe and Ito's palette, which
/// the colour-blind can tell apart, then the same dashed.
std::string series_style(std::size_t n);
/// The colour alone, "#rrggbb".
std::string series_colour(std::size_t n);

/// Text for XML: & < > " are escaped, control characters left out.
std::string xml_escaped(const std::string& text);

}  // namespace atomtrack
