// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <numeric>
#include <sstream>

#include "atomtrack/evaluation/summary.hpp"
#include "evaluation/svg_plot.hpp"

namespace atomtrack {
namespace {

constexpr std::size_t most_lines = 10;      // of a plot: the best trackers
constexpr std::size_t most_open_rows = 30;  // of the table of sequences before it is folded

constexpr const char* style = R"(
:root { color-scheme: light dark; --paper: #fff; --ink: #1b1b1b; --faint: #6b6b6b; --rule: #d4d4d4; --best: #eaf2e3; --bar: #9ec5e8; }
@media (prefers-color-scheme: dark) { :root { --paper: #17181a; --ink: #e6e6e6; --faint: #9a9a9a; --rule: #3b3d40; --best: #26331f; --bar: #2f567a; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2.5rem 1.25rem 4rem; max-width: 72rem; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0; }
h2 { font-size: 1.15rem; margin: 2.6rem 0 .7rem; }
p, li { max-width: 46rem; }
.lead, figcaption, .note, footer { color: var(--faint); font-size: .9rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .92rem; }
th, td { padding: .32rem .8rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--rule); }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
thead th { border-bottom: 2px solid var(--ink); font-weight: 600; }
td.best { background: var(--best); font-weight: 600; }
.spread { color: var(--faint); font-size: .85em; }
.bar { display: inline-block; height: .55rem; margin-right: .45rem; background: var(--bar); }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 19rem), 1fr)); gap: 1.6rem; }
.plots svg { width: 100%; height: auto; max-width: 28rem; }
figure { margin: 0 0 1.4rem; }
figure img { max-width: 100%; height: auto; display: block; }
pre { overflow-x: auto; padding: .8rem 1rem; border-left: 3px solid var(--rule); font-size: .85rem; white-space: pre-wrap; overflow-wrap: anywhere; }
summary { cursor: pointer; margin: .6rem 0; }
@media print { body { max-width: none; padding: 0; font-size: 10.5pt; } h2 { break-after: avoid; } figure, table, svg { break-inside: avoid; } .scroll { overflow: visible; } th, td { padding: .2rem .5rem; } }
)";

std::string fixed(double value, int digits) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.*f", digits, value);
  return text;
}

/// 0.7483 as 74.8: tables give percentages, as the field's papers do.
std::string percent(double share) {
  return fixed(100.0 * share, 1);
}

std::string base64(const std::string& bytes) {
  constexpr const char* alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t word = 0;
    for (std::size_t k = 0; k < 3; ++k)
      word = word << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k)
      text += i + k <= bytes.size() ? alphabet[(word >> (18 - 6 * k)) & 63U] : '=';
  }
  return text;
}

/// The five columns of the tables.
struct Column {
  const char* title;
  double Measures::*value;
};
constexpr Column columns[] = {{"AUC", &Measures::auc},
                              {"OP50", &Measures::op50},
                              {"OP75", &Measures::op75},
                              {"precision", &Measures::precision},
                              {"norm. precision", &Measures::normalized_precision}};

std::string with_spread(const MeasuresOverSeeds& measures, double Measures::*field) {
  std::string text = percent(measures.mean.*field);
  if (measures.seeds > 1)
    text += " <span class=\"spread\">± " + percent(measures.spread.*field) + "</span>";
  return text;
}

std::string summary_table(const EvaluationSummary& summary) {
  std::ostringstream html;
  html << "<div class=\"scroll\"><table><thead><tr><th>tracker</th>";
  for (const Column& column : columns) html << "<th>" << column.title << "</th>";
  html << "<th>seeds</th><th>frames/s</th><th>memory, MiB</th></tr></thead><tbody>\n";
  for (const TrackerSummary& tracker : summary.trackers) {
    html << "<tr><td>" << xml_escaped(tracker.name) << "</td>";
    for (const Column& column : columns) {
      const bool best = std::all_of(
          summary.trackers.begin(), summary.trackers.end(), [&](const TrackerSummary& other) {
            return tracker.measures.mean.*column.value >= other.measures.mean.*column.value;
          });
      html << (best && summary.trackers.size() > 1 ? "<td class=\"best\">" : "<td>")
           << with_spread(tracker.measures, column.value) << "</td>";
    }
    const auto known = [](double value, int digits) {
      return value > 0.0 ? fixed(value, digits) : std::string("–");
    };
    html << "<td>" << tracker.measures.seeds << "</td><td>" << known(tracker.frames_per_second, 1)
         << "</td><td>" << known(tracker.memory_mb, 0) << "</td></tr>\n";
  }
  html << "</tbody></table></div>\n";
  return html.str();
}

/// One curve per tracker; the legend gives the score that orders them, as OTB's plots do.
template <class Curve, class Score>
std::string plot_of(const EvaluationSummary& summary, const char* title, const char* x_label,
                    double x_end, Curve curve, Score score) {
  std::vector<const TrackerSummary*> order;
  for (const TrackerSummary& tracker : summary.trackers) {
    if (curve(tracker).size() > 1) order.push_back(&tracker);
  }
  if (order.empty()) return "";
  std::stable_sort(order.begin(), order.end(),
                   [&](const auto* a, const auto* b) { return score(*a) > score(*b); });
  order.resize(std::min(order.size(), most_lines));
  Plot plot{title, x_label, "share of frames", x_end, 1.0, {}};
  for (const TrackerSummary* tracker : order) {
    const std::vector<double>& values = curve(*tracker);
    PlotSeries series{tracker->name + " [" + percent(score(*tracker)) + "]",
                      static_cast<std::size_t>(tracker - summary.trackers.data()),
                      {}};
    for (std::size_t i = 0; i < values.size(); ++i)
      series.points.emplace_back(
          x_end * static_cast<double>(i) / static_cast<double>(values.size() - 1), values[i]);
    plot.series.push_back(std::move(series));
  }
  return svg_plot(plot);
}

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) /
         static_cast<double>(std::max<std::size_t>(1, values.size()));
}

std::string main_plots(const EvaluationSummary& summary) {
  const auto measure = [](double Measures::*field) {
    return [field](const TrackerSummary& t) { return t.measures.mean.*field; };
  };
  return "<div class=\"plots\">\n" +
         plot_of(
             summary, "Success", "overlap threshold", 1.0,
             [](const TrackerSummary& t) -> const std::vector<double>& { return t.curves.success; },
             measure(&Measures::auc)) +
         plot_of(
             summary, "Precision", "distance of the centres, pixels", 50.0,
             [](const TrackerSummary& t) -> const std::vector<double>& {
               return t.curves.precision;
             },
             measure(&Measures::precision)) +
         plot_of(
             summary, "Normalised precision", "distance of the centres over the target's size", 0.5,
             [](const TrackerSummary& t) -> const std::vector<double>& {
               return t.curves.normalized_precision;
             },
             measure(&Measures::normalized_precision)) +
         "</div>\n";
}

/// AUC by which the first tracker is ahead of the best other; nothing to compare gives its AUC.
double lead(const EvaluationSummary& summary, const std::string& sequence) {
  const double missing = -std::numeric_limits<double>::infinity();
  double first = missing, other = missing;
  for (std::size_t t = 0; t < summary.trackers.size(); ++t) {
    const auto found = summary.trackers[t].per_sequence.find(sequence);
    if (found == summary.trackers[t].per_sequence.end()) continue;
    (t == 0 ? first : other) = std::max(t == 0 ? first : other, found->second.mean.auc);
  }
  if (first == missing) return missing;
  return other == missing ? first : first - other;
}

std::string sequence_table(const EvaluationSummary& summary) {
  std::vector<std::pair<double, std::string>> order;
  for (const std::string& name : summary.sequences) order.emplace_back(lead(summary, name), name);
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  const bool several = summary.trackers.size() > 1;
  std::ostringstream html;
  html << "<p class=\"note\">AUC and, behind the bar, OP75"
       << (several ? ", sorted by how far " + xml_escaped(summary.trackers.front().name) +
                         " is ahead of the best other tracker in AUC"
                   : std::string(", sorted by AUC"))
       << ".</p>\n<div class=\"scroll\"><table><thead><tr><th>sequence</th><th>frames</th>";
  if (several) html << "<th>lead</th>";
  for (const TrackerSummary& tracker : summary.trackers)
    html << "<th>" << xml_escaped(tracker.name) << "</th>";
  html << "</tr></thead><tbody>\n";
  for (const auto& [ahead, name] : order) {
    const auto frames = summary.frames.find(name);
    html << "<tr><td>" << xml_escaped(name) << "</td><td>"
         << (frames == summary.frames.end() ? std::string("–") : std::to_string(frames->second))
         << "</td>";
    if (several)
      html << "<td>" << (std::isfinite(ahead) ? (ahead > 0 ? "+" : "") + percent(ahead) : "–")
           << "</td>";
    for (const TrackerSummary& tracker : summary.trackers) {
      const auto found = tracker.per_sequence.find(name);
      if (found == tracker.per_sequence.end()) {
        html << "<td>–</td>";
        continue;
      }
      const Measures& m = found->second.mean;
      html << "<td>" << percent(m.auc)
           << " <span class=\"bar\" style=\"width:" << fixed(3.0 * m.auc, 2)
           << "rem\"></span><span class=\"spread\">" << percent(m.op75) << "</span></td>";
    }
    html << "</tr>\n";
  }
  html << "</tbody></table></div>\n";
  return html.str();
}

std::string attribute_section(const EvaluationSummary& summary) {
  if (summary.attributes.empty()) return "";
  std::ostringstream html, plots;
  html << "<h2>Attributes</h2>\n<p class=\"note\">AUC over the sequences that have the "
          "attribute.</p>\n<div class=\"scroll\"><table><thead><tr><th>attribute</th>"
          "<th>sequences</th>";
  for (const TrackerSummary& tracker : summary.trackers)
    html << "<th>" << xml_escaped(tracker.name) << "</th>";
  html << "</tr></thead><tbody>\n";
  for (const auto& [attribute, sequences] : summary.attributes) {
    html << "<tr><td>" << xml_escaped(attribute) << "</td><td>" << sequences.size() << "</td>";
    for (const TrackerSummary& tracker : summary.trackers) {
      const auto found = tracker.success_by_attribute.find(attribute);
      html << "<td>"
           << (found == tracker.success_by_attribute.end() ? std::string("–")
                                                           : percent(mean_of(found->second)))
           << "</td>";
    }
    html << "</tr>\n";
    const auto curve = [&, wanted =
                               &attribute](const TrackerSummary& t) -> const std::vector<double>& {
      static const std::vector<double> none;
      const auto found = t.success_by_attribute.find(*wanted);
      return found == t.success_by_attribute.end() ? none : found->second;
    };
    const std::string title = attribute + " (" + std::to_string(sequences.size()) + ")";
    plots << plot_of(summary, title.c_str(), "overlap threshold", 1.0, curve,
                     [&](const TrackerSummary& t) { return mean_of(curve(t)); });
  }
  html << "</tbody></table></div>\n<details><summary>success plot of each attribute</summary>\n"
          "<div class=\"plots\">\n"
       << plots.str() << "</div></details>\n";
  return html.str();
}

std::string own_tables(const EvaluationSummary& summary) {
  std::ostringstream html;
  for (const ReportTable& table : summary.tables) {
    html << "<h2>" << xml_escaped(table.title) << "</h2>\n<p class=\"note\">"
         << xml_escaped(table.note) << "</p>\n<div class=\"scroll\"><table><thead><tr>";
    for (const std::string& title : table.header) html << "<th>" << xml_escaped(title) << "</th>";
    html << "</tr></thead><tbody>\n";
    for (const auto& row : table.rows) {
      html << "<tr>";
      for (const std::string& cell : row) html << "<td>" << xml_escaped(cell) << "</td>";
      html << "</tr>\n";
    }
    html << "</tbody></table></div>\n";
  }
  return html.str();
}

std::string picture_section(const EvaluationSummary& summary) {
  if (summary.pictures.empty()) return "";
  std::ostringstream html;
  html << "<h2>Best and worst sequences</h2>\n";
  for (const ReportPicture& picture : summary.pictures)
    html << "<figure><img alt=\"" << xml_escaped(picture.sequence)
         << "\" src=\"data:image/jpeg;base64," << base64(picture.jpeg) << "\"/><figcaption>"
         << xml_escaped(picture.caption) << "</figcaption></figure>\n";
  return html.str();
}

std::string list_section(const char* title, const std::vector<std::string>& lines) {
  if (lines.empty()) return "";
  std::ostringstream html;
  html << "<h2>" << title << "</h2>\n<ul>\n";
  for (const std::string& line : lines) html << "<li>" << xml_escaped(line) << "</li>\n";
  html << "</ul>\n";
  return html.str();
}

constexpr const char* definitions = R"(<h2>What the numbers mean</h2>
<ul>
<li>The overlap of two boxes is their intersection over their union. Success at a threshold is the share of a sequence's frames whose overlap with the annotation exceeds it; AUC is the mean over the thresholds from 0 to 1, OP50 and OP75 the success at 0.5 and 0.75.</li>
<li>Precision is the share of frames whose centre is within 20 pixels of the annotation's, normalised precision within 0.2 of its width and height.</li>
<li>Sequences are averaged, not frames; all values are percentages. With several seeds, ± is the standard deviation over them.</li>
<li>Frames per second count the tracker's own time, the first frame included, reading images excluded. Memory is the largest peak of a run's process.</li>
</ul>
)";

}  // namespace

std::string report_html(const EvaluationSummary& summary) {
  long frames = 0;
  for (const std::string& name : summary.sequences) {
    const auto found = summary.frames.find(name);
    frames += found == summary.frames.end() ? 0 : found->second;
  }
  std::ostringstream html;
  html << "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\"><head>"
          "<meta charset=\"utf-8\"/><meta name=\"viewport\" "
          "content=\"width=device-width, initial-scale=1\"/>\n<title>"
       << xml_escaped(summary.benchmark) << ": trackers compared</title>\n<style>" << style
       << "</style></head><body>\n<h1>" << xml_escaped(summary.benchmark)
       << "</h1>\n<p class=\"lead\">" << summary.trackers.size()
       << (summary.trackers.size() == 1 ? " tracker" : " trackers") << " on "
       << summary.sequences.size() << (summary.sequences.size() == 1 ? " sequence" : " sequences")
       << " of " << frames << " frames</p>\n"
       << summary_table(summary) << "<h2>Curves</h2>\n"
       << main_plots(summary) << "<h2>Sequences</h2>\n";
  if (summary.sequences.size() > most_open_rows) {
    html << "<details><summary>all " << summary.sequences.size() << " sequences</summary>\n"
         << sequence_table(summary) << "</details>\n";
  } else {
    html << sequence_table(summary);
  }
  html << own_tables(summary) << attribute_section(summary) << picture_section(summary)
       << list_section("Remarks", summary.remarks) << definitions << "<h2>Commands</h2>\n<pre>";
  for (const std::string& command : summary.commands) html << xml_escaped(command) << "\n";
  html << "</pre>\n" << list_section("Environment", summary.environment) << "</body></html>\n";
  return html.str();
}

}  // namespace atomtrack
