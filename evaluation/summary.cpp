// SPDX-License-Identifier: MIT
#include "atomtrack/evaluation/summary.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <set>
#include <sstream>

#include "atomtrack/tensor/error.hpp"

namespace atomtrack {
namespace {

struct NamedMeasure {
  const char* name;
  double Measures::*value;
};
constexpr std::array<NamedMeasure, 5> measures_in_order{
    {{"auc", &Measures::auc},
     {"op50", &Measures::op50},
     {"op75", &Measures::op75},
     {"precision", &Measures::precision},
     {"normalized_precision", &Measures::normalized_precision}}};

Measures measures_of(const SequenceScores& scores) {
  return {scores.auc, scores.op50, scores.op75, scores.precision20, scores.normalized_precision20};
}

Measures mean_of(const std::vector<Measures>& values) {
  Measures mean;
  for (const auto& [name, field] : measures_in_order) {
    for (const Measures& value : values) mean.*field += value.*field;
    mean.*field /= static_cast<double>(values.size());
  }
  return mean;
}

MeasuresOverSeeds over_seeds(const std::vector<Measures>& values) {
  MeasuresOverSeeds result;
  result.seeds = static_cast<int>(values.size());
  result.mean = mean_of(values);
  if (values.size() < 2) return result;
  for (const auto& [name, field] : measures_in_order) {
    double squares = 0.0;
    for (const Measures& value : values) {
      const double difference = value.*field - result.mean.*field;
      squares += difference * difference;
    }
    result.spread.*field = std::sqrt(squares / static_cast<double>(values.size() - 1));
  }
  return result;
}

/// Curves added up, of one length.
class CurveMean {
 public:
  void add(const std::vector<double>& curve) {
    if (sum_.empty()) sum_.resize(curve.size());
    require<InputError>(sum_.size() == curve.size(), "summary: curves of ", sum_.size(), " and ",
                        curve.size(), " thresholds");
    for (std::size_t i = 0; i < sum_.size(); ++i) sum_[i] += curve[i];
    ++count_;
  }
  std::vector<double> mean() const {
    std::vector<double> result = sum_;
    for (double& value : result) value /= count_;
    return result;
  }

 private:
  std::vector<double> sum_;
  int count_ = 0;
};

TrackerSummary summary_of(const std::string& name, const std::vector<const ScoredRun*>& runs,
                          const EvaluationSummary& about) {
  TrackerSummary tracker;
  tracker.name = name;
  std::map<int, std::vector<Measures>> by_seed;
  std::map<std::string, std::vector<Measures>> by_sequence;
  CurveMean success, precision, normalized;
  double frames = 0.0, seconds = 0.0;
  for (const ScoredRun* run : runs) {
    by_seed[run->seed].push_back(measures_of(run->scores));
    by_sequence[run->sequence].push_back(measures_of(run->scores));
    success.add(run->scores.success);
    precision.add(run->scores.precision);
    normalized.add(run->scores.normalized_precision);
    if (run->seconds > 0.0) {
      frames += run->scores.frames;
      seconds += run->seconds;
    }
    tracker.memory_mb = std::max(tracker.memory_mb, run->memory_mb);
  }
  std::vector<Measures> of_seeds;
  for (const auto& [seed, values] : by_seed) of_seeds.push_back(mean_of(values));
  tracker.measures = over_seeds(of_seeds);
  for (const auto& [sequence, values] : by_sequence)
    tracker.per_sequence[sequence] = over_seeds(values);
  tracker.curves = {success.mean(), precision.mean(), normalized.mean()};
  tracker.frames_per_second = seconds > 0.0 ? frames / seconds : 0.0;
  for (const auto& [attribute, sequences] : about.attributes) {
    CurveMean curve;
    bool any = false;
    for (const ScoredRun* run : runs) {
      if (std::find(sequences.begin(), sequences.end(), run->sequence) == sequences.end()) continue;
      curve.add(run->scores.success);
      any = true;
    }
    if (any) tracker.success_by_attribute[attribute] = curve.mean();
  }
  return tracker;
}

// ---- JSON ----

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      result += std::string("\\") + c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char code[8];
      std::snprintf(code, sizeof(code), "\\u%04x", c);
      result += code;
    } else {
      result += c;
    }
  }
  return result + "\"";
}

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.6g", value);
  return text;
}

std::string fields(const Measures& measures) {
  std::string text;
  for (const auto& [name, field] : measures_in_order)
    text += (text.empty() ? "" : ", ") + quoted(name) + ": " + number(measures.*field);
  return text;
}

std::string object(const MeasuresOverSeeds& measures) {
  return fields(measures.mean) + ", \"seeds\": " + std::to_string(measures.seeds) +
         ", \"spread\": {" + fields(measures.spread) + "}";
}

template <class T, class F>
std::string list(const std::vector<T>& values, F as_text) {
  std::string text = "[";
  for (const T& value : values) text += (text.size() > 1 ? ", " : "") + as_text(value);
  return text + "]";
}

// ---- CSV ----

/// A field as RFC 4180 has it.
std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string result = "\"";
  for (const char c : text) result += c == '"' ? std::string("\"\"") : std::string(1, c);
  return result + "\"";
}

void add_csv_line(std::ostringstream& text, const std::string& tracker, const std::string& sequence,
                  const MeasuresOverSeeds& measures, double frames_per_second) {
  text << csv_field(tracker) << "," << csv_field(sequence) << "," << measures.seeds;
  for (const auto& [name, field] : measures_in_order)
    text << "," << number(measures.mean.*field) << "," << number(measures.spread.*field);
  text << ",";
  if (frames_per_second > 0.0) text << number(frames_per_second);
  text << "\n";
}

}  // namespace

EvaluationSummary summarize(EvaluationSummary about, const std::vector<ScoredRun>& runs) {
  const std::set<std::string> known(about.sequences.begin(), about.sequences.end());
  std::map<std::string, std::vector<const ScoredRun*>> by_tracker;
  for (const ScoredRun& run : runs) {
    require<InputError>(known.count(run.sequence) == 1, "summary: a run of ", run.tracker,
                        " in a sequence that is not listed: ", run.sequence);
    by_tracker[run.tracker].push_back(&run);
  }
  for (const auto& [name, own] : by_tracker) {
    std::set<int> seeds;
    for (const ScoredRun* run : own) seeds.insert(run->seed);
    const std::size_t complete = seeds.size() * known.size();
    if (own.size() < complete)
      about.remarks.push_back(concatenate(name, ": ", own.size(), " of ", complete,
                                          " runs are there; the averages are over those"));
    about.trackers.push_back(summary_of(name, own, about));
  }
  std::stable_sort(about.trackers.begin(), about.trackers.end(),
                   [](const TrackerSummary& a, const TrackerSummary& b) {
                     return a.measures.mean.auc > b.measures.mean.auc;
                   });
  return about;
}

std::string summary_json(const EvaluationSummary& summary) {
  std::ostringstream text;
  text << "{\n  \"benchmark\": " << quoted(summary.benchmark)
       << ",\n  \"commands\": " << list(summary.commands, quoted)
       << ",\n  \"environment\": " << list(summary.environment, quoted)
       << ",\n  \"remarks\": " << list(summary.remarks, quoted) << ",\n  \"tables\": "
       << list(summary.tables,
               [](const ReportTable& table) {
                 return "{\"title\": " + quoted(table.title) +
                        ", \"header\": " + list(table.header, quoted) + ", \"rows\": " +
                        list(
                            table.rows,
                            [](const std::vector<std::string>& row) { return list(row, quoted); }) +
                        "}";
               })
       << ",\n  \"trackers\": {";
  const char* before = "\n    ";
  for (const TrackerSummary& tracker : summary.trackers) {
    text << before << quoted(tracker.name) << ": {" << object(tracker.measures)
         << ", \"frames_per_second\": " << number(tracker.frames_per_second)
         << ", \"memory_mb\": " << number(tracker.memory_mb)
         << ",\n      \"success\": " << list(tracker.curves.success, number)
         << ",\n      \"per_sequence\": {";
    const char* inner = "\n        ";
    for (const auto& [sequence, measures] : tracker.per_sequence) {
      text << inner << quoted(sequence) << ": {" << object(measures) << "}";
      inner = ",\n        ";
    }
    text << "}}";
    before = ",\n    ";
  }
  text << "}\n}\n";
  return text.str();
}

std::string summary_csv(const EvaluationSummary& summary) {
  std::ostringstream text;
  text << "tracker,sequence,seeds";
  for (const auto& [name, field] : measures_in_order)
    text << "," << name << "," << name << "_spread";
  text << ",frames_per_second\n";
  for (const TrackerSummary& tracker : summary.trackers) {
    add_csv_line(text, tracker.name, "all sequences", tracker.measures, tracker.frames_per_second);
    for (const auto& [sequence, measures] : tracker.per_sequence)
      add_csv_line(text, tracker.name, sequence, measures, 0.0);
  }
  return text.str();
}

}  // namespace atomtrack
