// SPDX-License-Identifier: MIT
#include "atomtrack/evaluation/summary.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "atomtrack/tensor/error.hpp"
#include "evaluation/svg_plot.hpp"

using namespace atomtrack;

namespace {

ScoredRun run(const std::string& tracker, const std::string& sequence, int seed, double auc,
              int frames = 10, double seconds = 0.0) {
  ScoredRun result;
  result.tracker = tracker;
  result.sequence = sequence;
  result.seed = seed;
  result.scores.auc = auc;
  result.scores.op50 = auc / 2;
  result.scores.frames = frames;
  result.scores.success = {1.0, auc, 0.0};
  result.scores.precision = {0.0, auc};
  result.scores.normalized_precision = {0.0, 1.0};
  result.seconds = seconds;
  result.memory_mb = 100.0 * auc;
  return result;
}

EvaluationSummary about() {
  EvaluationSummary summary;
  summary.benchmark = "two <clips> & \"more\"";
  summary.sequences = {"A", "B"};
  summary.frames = {{"A", 10}, {"B", 20}};
  summary.attributes = {{"FOC", {"B"}}, {"SV", {"A", "B"}}};
  return summary;
}

std::size_t occurrences(const std::string& text, const std::string& what) {
  std::size_t count = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE("sequences are averaged, then seeds, and the spread is that of the seeds") {
  const EvaluationSummary summary =
      summarize(about(), {run("ours", "A", 0, 0.6, 10, 2.0), run("ours", "B", 0, 0.8, 20, 1.0),
                          run("ours", "A", 1, 0.5, 10, 2.0), run("ours", "B", 1, 0.5, 20, 1.0),
                          run("theirs", "A", 0, 0.9), run("theirs", "B", 0, 0.1)});
  REQUIRE(summary.trackers.size() == 2);
  const TrackerSummary& ours = summary.trackers[0];
  CHECK(ours.name == "ours");  // 0.6 before 0.5
  CHECK(ours.measures.seeds == 2);
  CHECK(ours.measures.mean.auc == doctest::Approx(0.6));  // of 0.7 and 0.5
  CHECK(ours.measures.mean.op50 == doctest::Approx(0.3));
  CHECK(ours.measures.spread.auc == doctest::Approx(std::sqrt(0.02)));
  CHECK(ours.per_sequence.at("A").mean.auc == doctest::Approx(0.55));
  CHECK(ours.per_sequence.at("B").spread.auc == doctest::Approx(std::sqrt(0.045)));
  CHECK(ours.curves.success == std::vector<double>{1.0, 0.6, 0.0});
  CHECK(ours.frames_per_second == doctest::Approx(10.0));  // 60 frames in 6 seconds
  CHECK(ours.memory_mb == doctest::Approx(80.0));
  CHECK(ours.success_by_attribute.at("FOC")[1] == doctest::Approx(0.65));
  CHECK(ours.success_by_attribute.at("SV")[1] == doctest::Approx(0.6));
  const TrackerSummary& theirs = summary.trackers[1];
  CHECK(theirs.measures.spread.auc == 0.0);
  CHECK(theirs.frames_per_second == 0.0);
  CHECK(summary.remarks.empty());
}

TEST_CASE("missing runs are said, unknown sequences refused") {
  const EvaluationSummary summary = summarize(about(), {run("ours", "A", 0, 0.6)});
  REQUIRE(summary.remarks.size() == 1);
  CHECK(summary.remarks[0] == "ours: 1 of 2 runs are there; the averages are over those");
  CHECK(summary.trackers[0].success_by_attribute.count("FOC") == 0);
  CHECK_THROWS_AS(summarize(about(), {run("ours", "C", 0, 0.6)}), InputError);
}

TEST_CASE("CSV has a line per tracker and sequence, quoted where it must be") {
  EvaluationSummary texts = about();
  texts.sequences = {"A, the first"};
  const std::string csv = summary_csv(summarize(texts, {run("x\"y", "A, the first", 0, 0.5)}));
  CHECK(occurrences(csv, "\n") == 3);
  CHECK(csv.find("\"x\"\"y\",all sequences,1,0.5,0,0.25,0,") != std::string::npos);
  CHECK(csv.find("\"x\"\"y\",\"A, the first\",1,0.5,") != std::string::npos);
}

TEST_CASE("the report carries every tracker and picture, and hostile names as text") {
  EvaluationSummary summary =
      summarize(about(), {run("<script>alert(1)</script>", "A", 0, 0.6), run("b", "A", 0, 0.7)});
  summary.remarks.push_back("A & B");
  summary.pictures.push_back({"caption <1>", "A", "Man"});
  const std::string page = report_html(summary);
  CHECK(page.find("<script") == std::string::npos);
  CHECK(page.find("&lt;script&gt;alert(1)&lt;/script&gt;") != std::string::npos);
  CHECK(page.find("<h1>two &lt;clips&gt; &amp; &quot;more&quot;</h1>") != std::string::npos);
  CHECK(page.find("data:image/jpeg;base64,TWFu\"") != std::string::npos);
  CHECK(page.find("caption &lt;1&gt;") != std::string::npos);
  CHECK(page.find("A &amp; B") != std::string::npos);
  CHECK(occurrences(page, "<svg") == 4);  // three curves and the attribute that has a run
  // Nothing is fetched: the only addresses are the names of XML's languages.
  CHECK(occurrences(page, "http") == occurrences(page, "xmlns=\"http://www.w3.org/"));
}

TEST_CASE("base64 pads what is not a multiple of three bytes") {
  EvaluationSummary summary = summarize(about(), {run("b", "A", 0, 0.7)});
  summary.pictures = {{"", "A", "Ma"}, {"", "A", "M"}};
  const std::string page = report_html(summary);
  CHECK(page.find("base64,TWE=\"") != std::string::npos);
  CHECK(page.find("base64,TQ==\"") != std::string::npos);
}

TEST_CASE("a plot puts points where its axes say") {
  const std::string svg =
      svg_plot({"t", "x", "y", 2.0, 4.0, {{"line", 0, {{0, 0}, {2, 4}, {9, 9}}}}});
  // The origin at the lower left, the end at the upper right, what is beyond clamped to it.
  CHECK(svg.find("points=\"46.0,270.0 366.0,30.0 366.0,30.0 \"") != std::string::npos);
  for (std::size_t a = 0; a < 21; ++a) {
    for (std::size_t b = 0; b < a; ++b) CHECK(series_style(a) != series_style(b));
  }
}
