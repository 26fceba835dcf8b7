// SPDX-License-Identifier: MIT
#include "tools/training_log.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iomanip>
#include <sstream>

#include "atomtrack/datasets/annotations.hpp"
#include "tools/output.hpp"

namespace atomtrack::tools {
namespace {

constexpr const char* step_header = "pairs,loss,iou_error,head_rate,backbone_rate\n";
constexpr const char* validation_header =
    "pairs,loss,iou_error,rank_correlation,climbed_overlap,further_loss,further_iou_error,"
    "further_rank_correlation,further_climbed_overlap\n";

/// The rows of numbers of a CSV file with a header, if there is one.
std::vector<std::vector<double>> rows_of(const std::string& path, std::size_t columns) {
  std::vector<std::vector<double>> rows;
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    auto row = numbers_of(line);
    if (row && row->size() == columns) rows.push_back(std::move(*row));
  }
  return rows;
}

struct Point {
  double x, y;
};

/// Means over `count` stretches of equal length.
std::vector<Point> smoothed(const std::vector<Point>& points, std::size_t count) {
  if (points.size() <= count) return points;
  std::vector<Point> result;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t begin = i * points.size() / count, end = (i + 1) * points.size() / count;
    Point sum{0.0, 0.0};
    for (std::size_t k = begin; k < end; ++k) sum = {sum.x + points[k].x, sum.y + points[k].y};
    const auto n = static_cast<double>(end - begin);
    result.push_back({sum.x / n, sum.y / n});
  }
  return result;
}

/// One diagram: curves over the number of pairs.
class Diagram {
 public:
  Diagram(std::string title, double top, double pairs)
      : title_(std::move(title)), top_(top), pairs_(std::max(1.0, pairs)) {}

  void curve(const std::vector<Point>& points, const char* colour, const char* label) {
    labels_ << "<text x=\"" << width - 6 << "\" y=\"" << 18 + 15 * curves_++ << "\" fill=\""
            << colour << "\" text-anchor=\"end\">" << label << "</text>\n";
    if (points.empty()) return;
    lines_ << "<polyline fill=\"none\" stroke=\"" << colour << "\" stroke-width=\"1.5\" points=\"";
    for (const Point& p : points) lines_ << x(p.x) << "," << y(p.y) << " ";
    lines_ << "\"/>\n";
  }

  std::string svg(double offset) const {
    std::ostringstream text;
    text << "<g transform=\"translate(0," << offset << ")\">\n<text x=\"" << left
         << "\" y=\"14\" font-weight=\"bold\">" << title_ << "</text>\n";
    for (int i = 0; i <= 4; ++i) {
      const double value = top_ * i / 4;
      text << "<line x1=\"" << left << "\" x2=\"" << width - 6 << "\" y1=\"" << y(value)
           << "\" y2=\"" << y(value) << "\" stroke=\"#ddd\"/><text x=\"" << left - 6 << "\" y=\""
           << y(value) + 4 << "\" text-anchor=\"end\">" << value << "</text>\n";
    }
    text << "<text x=\"" << width - 6 << "\" y=\"" << height - 4 << "\" text-anchor=\"end\">"
         << static_cast<std::int64_t>(pairs_) << " pairs</text>\n"
         << lines_.str() << labels_.str() << "</g>\n";
    return text.str();
  }

  static constexpr double width = 640, height = 240, left = 60;

 private:
  double x(double pairs) const { return left + (width - 6 - left) * pairs / pairs_; }
  double y(double value) const {
    return height - 20 - (height - 44) * std::clamp(value / top_, 0.0, 1.0);
  }

  std::string title_;
  double top_, pairs_;
  int curves_ = 0;
  std::ostringstream lines_, labels_;
};

}  // namespace

void TrainingLog::load(std::int64_t pairs) {
  for (const auto& row : rows_of(folder_ + "/steps.csv", 5)) {
    if (row[0] <= static_cast<double>(pairs))
      steps_.push_back({static_cast<std::int64_t>(row[0]), row[1], row[2], row[3], row[4]});
  }
  for (const auto& row : rows_of(folder_ + "/validation.csv", 9)) {
    if (row[0] <= static_cast<double>(pairs))
      validations_.push_back({static_cast<std::int64_t>(row[0]),
                              {row[1], row[2], row[3], row[4], 0},
                              {row[5], row[6], row[7], row[8], 0}});
  }
}

void TrainingLog::add(const Trainer::Step& step) {
  steps_.push_back({step.pairs, step.loss, step.mean_error, step.head_rate, step.backbone_rate});
}

void TrainingLog::add(std::int64_t pairs, const ValidationReport& report) {
  validations_.push_back({pairs, report.first, report.further});
}

std::string TrainingLog::curves() const {
  const double pairs = steps_.empty() ? 1.0 : static_cast<double>(steps_.back().pairs);
  std::vector<Point> loss, error, validation_loss, validation_error, further_error, correlation;
  for (const StepRow& row : steps_) {
    loss.push_back({static_cast<double>(row.pairs), row.loss});
    error.push_back({static_cast<double>(row.pairs), row.mean_error});
  }
  for (const ValidationRow& row : validations_) {
    const auto at = static_cast<double>(row.pairs);
    validation_loss.push_back({at, row.first.loss});
    validation_error.push_back({at, row.first.mean_error});
    further_error.push_back({at, row.further.mean_error});
    correlation.push_back({at, row.first.rank_correlation});
  }
  constexpr std::size_t most_points = 300;
  Diagram losses("mean squared error of 2 IoU - 1", 0.4, pairs);
  losses.curve(smoothed(loss, most_points), "#1f77b4", "training");
  losses.curve(validation_loss, "#d62728", "validation");
  Diagram errors("mean error of the IoU", 0.25, pairs);
  errors.curve(smoothed(error, most_points), "#1f77b4", "training");
  errors.curve(validation_error, "#d62728", "validation");
  errors.curve(further_error, "#ff7f0e", "validation, further targets");
  Diagram ranks("rank correlation of predicted and true IoU, validation", 1.0, pairs);
  ranks.curve(correlation, "#d62728", "validation");
  std::ostringstream text;
  text << "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " << Diagram::width << " "
       << 3 * Diagram::height
       << "\" font-family=\"sans-serif\" font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" "
          "fill=\"white\"/>\n"
       << losses.svg(0) << errors.svg(Diagram::height) << ranks.svg(2 * Diagram::height)
       << "</svg>\n";
  return text.str();
}

void TrainingLog::save() const {
  std::ostringstream steps, validations;
  steps << step_header << std::setprecision(9);
  for (const StepRow& row : steps_)
    steps << row.pairs << "," << row.loss << "," << row.mean_error << "," << row.head_rate << ","
          << row.backbone_rate << "\n";
  validations << validation_header << std::setprecision(9);
  for (const ValidationRow& row : validations_)
    validations << row.pairs << "," << row.first.loss << "," << row.first.mean_error << ","
                << row.first.rank_correlation << "," << row.first.climbed_overlap << ","
                << row.further.loss << "," << row.further.mean_error << ","
                << row.further.rank_correlation << "," << row.further.climbed_overlap << "\n";
  write_text_file(folder_ + "/steps.csv", steps.str());
  write_text_file(folder_ + "/validation.csv", validations.str());
  write_text_file(folder_ + "/curves.svg", curves());
}

}  // namespace atomtrack::tools
