// SPDX-License-Identifier: MIT
#include "atomtrack/evaluation/vot.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "atomtrack/tensor/error.hpp"

using namespace atomtrack;
using namespace atomtrack::vot;

namespace {

constexpr ImageSize image{100, 80};

double exact(const Region& a, const Region& b) {
  return region_overlap(a, b, image, OverlapRule::exact);
}

std::vector<Region> still(std::size_t frames) {
  return std::vector<Region>(frames, Box{10, 10, 20, 20});
}

/// A run in VOT's format for a target that stays: `word` is repeated.
std::string repeated(int count, const std::string& word) {
  std::string text;
  for (int i = 0; i < count; ++i) text += word + "\n";
  return text;
}

constexpr const char* hit = "10,10,20,20";   // overlap 1
constexpr const char* half = "10,10,20,10";  // overlap 1/2

}  // namespace

TEST_CASE("exact overlap, by hand") {
  const Box square{10, 10, 20, 20};
  const Polygon diamond{{20, 10}, {30, 20}, {20, 30}, {10, 20}};
  const Polygon other_way{{10, 20}, {20, 30}, {30, 20}, {20, 10}};
  CHECK(exact(square, square) == doctest::Approx(1.0));
  CHECK(exact(square, Box{20, 10, 20, 20}) == doctest::Approx(1.0 / 3));
  CHECK(exact(square, Box{30, 10, 20, 20}) == 0.0);  // side by side
  CHECK(exact(square, diamond) == doctest::Approx(0.5));
  CHECK(exact(diamond, other_way) == doctest::Approx(1.0));
  // Two diamonds side by side, shifted by half: a diamond of half the diagonal is shared.
  const Polygon shifted{{30, 10}, {40, 20}, {30, 30}, {20, 20}};
  CHECK(exact(diamond, shifted) == doctest::Approx(50.0 / 350));
  // A concave L against the square around it: 3/4, and against the corner it lacks: 0.
  const Polygon angle{{10, 10}, {20, 10}, {20, 20}, {30, 20}, {30, 30}, {10, 30}};
  CHECK(exact(angle, square) == doctest::Approx(0.75));
  CHECK(exact(angle, Box{20, 10, 10, 10}) == doctest::Approx(0.0));
}

TEST_CASE("overlap counts what lies inside the image") {
  for (const OverlapRule rule : {OverlapRule::exact, OverlapRule::pixels}) {
    const auto overlap = [&](const Region& a, const Region& b) {
      return region_overlap(a, b, image, rule);
    };
    CHECK(overlap(Box{-10, 0, 20, 20}, Box{0, 0, 10, 20}) == doctest::Approx(1.0));
    CHECK(overlap(Box{90, 70, 50, 50}, Box{90, 70, 10, 10}) == doctest::Approx(1.0));
    CHECK(overlap(Box{-30, 0, 20, 20}, Box{0, 0, 10, 20}) == 0.0);
    CHECK(overlap(Box{-30, 0, 20, 20}, Box{200, 0, 10, 20}) == 1.0);  // both empty
    CHECK_THROWS_AS(region_overlap(Box{0, 0, 1, 1}, Box{0, 0, 1, 1}, {0, 5}, rule), InputError);
  }
}

// The numbers of this case are answers of the VOT toolkit 0.9.0 to the same questions.
TEST_CASE("pixels are counted as the VOT toolkit counts them") {
  const auto columns = [](double x, double width) {
    return std::lround(40 * region_overlap(Box{x, 0, width, 40}, Box{0, 0, 40, 40}, {40, 40},
                                           OverlapRule::pixels));
  };
  CHECK(columns(5, 10) == 10);
  CHECK(columns(5.3, 10.3) == 10);
  CHECK(columns(5.3, 10.6) == 11);
  CHECK(columns(5.5, 9.5) == 10);
  CHECK(columns(-3.4, 10) == 7);
  CHECK(columns(-3.6, 10) == 6);
  CHECK(columns(35.6, 3.6) == 4);
  // A quadrilateral as rows of pixels: 0; 3 to 5; 2 to 6; 1 to 7; 1 to 8; 2 to 6; 3 to 5; 4.
  const Polygon polygon{{4.3, 0.2}, {8.3, 3.7}, {4, 7.4}, {0.6, 3}};
  const ImageSize small{10, 8};
  const double whole = region_overlap(polygon, Box{0, 0, 10, 8}, small, OverlapRule::pixels);
  CHECK(whole * 80 == doctest::Approx(1 + 3 + 5 + 7 + 8 + 5 + 3 + 1));
  const double row = region_overlap(polygon, Box{0, 4, 10, 1}, small, OverlapRule::pixels);
  CHECK(row == doctest::Approx(8.0 / (33 + 2)));
}

TEST_CASE("regions and result files are read back as written") {
  CHECK(!parse_region("1,2,3"));
  CHECK(!parse_region("1,2,3,x"));
  CHECK(!parse_region("1,2,3,nan"));
  CHECK(!parse_region("1,2,3,4,5"));
  CHECK(std::get<Box>(*parse_region("1\t2.5 3,4")) == Box{1, 2.5, 3, 4});
  CHECK(std::get<Polygon>(*parse_region("1,2,3,4,5,6")).size() == 3);
  const std::string text =
      "1\n1.0000,2.5000,3.0000,4.0000\n2\n0\n0.0000,0.0000,9.0000,0.0000,9.0000,9.0000\n";
  const Trajectory run = parse_trajectory(text, "run");
  REQUIRE(run.size() == 5);
  CHECK(run[0].kind == FrameResult::Kind::initialized);
  CHECK(run[2].kind == FrameResult::Kind::failed);
  CHECK(run[3].kind == FrameResult::Kind::skipped);
  CHECK(to_text(run) == text);
  CHECK_THROWS_WITH_AS(parse_trajectory("1\n3\n", "run"),
                       "run: line 2: expected 0, 1, 2, a box of four numbers or a polygon",
                       InputError);
  CHECK_THROWS_AS(parse_annotations("1,2,3,4\n1\n", "truth"), InputError);
}

TEST_CASE("a tracker that fails is started again five frames later") {
  std::vector<int> started, asked;
  const TrackerCallbacks tracker{[&](int frame, const Region&) { started.push_back(frame); },
                                 [&](int frame) -> Region {
                                   asked.push_back(frame);
                                   const bool lost = frame == 3 || frame == 13;
                                   return lost ? Box{60, 60, 5, 5} : Box{10, 10, 20, 20};
                                 }};
  const Trajectory run = run_supervised(tracker, still(15), image);
  CHECK(started == std::vector<int>{0, 8});
  CHECK(asked == std::vector<int>{1, 2, 3, 9, 10, 11, 12, 13});
  const std::string one = "10.0000,10.0000,20.0000,20.0000";
  CHECK(to_text(run) ==
        "1\n" + repeated(2, one) + "2\n" + repeated(4, "0") + "1\n" + repeated(4, one) + "2\n0\n");
  CHECK_THROWS_AS(run_supervised(tracker, {}, image), InputError);
}

TEST_CASE("failure is judged by the polygon, not by the box around it") {
  // The box lies in the corner that a diamond leaves free of the box around it.
  const std::vector<Region> truth(3, Polygon{{30, 10}, {50, 30}, {30, 50}, {10, 30}});
  const TrackerCallbacks tracker{[](int, const Region&) {},
                                 [](int) -> Region {
                                   return Box{10, 10, 8, 8};
                                 }};
  for (const OverlapRule rule : {OverlapRule::exact, OverlapRule::pixels})
    CHECK(to_text(run_supervised(tracker, truth, image, {5, rule})) == "1\n2\n0\n");
}

TEST_CASE("accuracy leaves out the first ten frames, robustness counts failures") {
  SequenceRuns sequence{still(30), image, {}};
  // Overlap 1/2 in frames 1 .. 9, 1 in frame 10, 1/2 in 11 .. 19; failed at 20; started at 25.
  const std::string run = "1\n" + repeated(9, half) + repeated(1, hit) + repeated(9, half) + "2\n" +
                          repeated(4, "0") + "1\n" + repeated(4, hit);
  sequence.repetitions.push_back(parse_trajectory(run, "run"));
  sequence.repetitions.push_back(parse_trajectory("1\n" + repeated(29, hit), "run"));
  MeasureOptions options;
  options.low = 10;
  options.high = 20;
  const VotMeasures measures = measure(std::vector<SequenceRuns>{sequence}, options);
  CHECK(measures.accuracy == doctest::Approx((0.55 + 1.0) / 2));
  CHECK(measures.failures == doctest::Approx(0.5));
  CHECK(measures.failures_per_100 == doctest::Approx(100 * 0.5 / 30));
  CHECK(measures.reliability == doctest::Approx(std::exp(-30 * 0.5 / 30)));
}

TEST_CASE("the expected overlap pads failures with zeros and leaves out what is too short") {
  SequenceRuns sequence{still(10), image, {}};
  // Fragments: 1, 1/2, then failed; from frame 8: 1 frame that ends with the sequence.
  sequence.repetitions.push_back(parse_trajectory(
      "1\n" + repeated(1, hit) + repeated(1, half) + "2\n" + repeated(4, "0") + "1\n" + hit,
      "run"));
  MeasureOptions options;
  options.low = 2;
  options.high = 3;
  const VotMeasures measures = measure(std::vector<SequenceRuns>{sequence}, options);
  REQUIRE(measures.expected_overlap.size() == 10);
  CHECK(measures.expected_overlap[0] == 0.0);
  CHECK(measures.expected_overlap[1] == doctest::Approx(1.0));   // both fragments
  CHECK(measures.expected_overlap[2] == doctest::Approx(0.75));  // the first alone
  CHECK(measures.expected_overlap[3] == doctest::Approx(0.5));
  CHECK(measures.expected_overlap[9] == doctest::Approx(1.5 / 9));
  CHECK(measures.expected_average_overlap == doctest::Approx((0.75 + 0.5) / 2));
}

TEST_CASE("sequences weigh by their length") {
  std::vector<SequenceRuns> two{{still(60), image, {}}, {still(20), image, {}}};
  two[0].repetitions.push_back(parse_trajectory("1\n" + repeated(59, hit), "a"));
  two[1].repetitions.push_back(parse_trajectory("1\n" + repeated(18, half) + "2\n", "b"));
  MeasureOptions options;
  options.low = 1;
  options.high = 1;
  const VotMeasures measures = measure(two, options);
  CHECK(measures.accuracy == doctest::Approx((60 * 1.0 + 20 * 0.5) / 80));
  CHECK(measures.failures == doctest::Approx(20.0 / 80));
  CHECK(measures.failures_per_100 == doctest::Approx(100.0 / 80));
  CHECK(measures.reliability == doctest::Approx(std::exp(-30 * 0.25 / 40)));
  CHECK(measures.expected_average_overlap == doctest::Approx(0.75));
}

TEST_CASE("measures refuse what does not fit") {
  CHECK_THROWS_AS(measure({}), InputError);
  SequenceRuns sequence{still(3), image, {}};
  CHECK_THROWS_AS(measure(std::vector<SequenceRuns>{sequence}), InputError);
  sequence.repetitions.push_back(parse_trajectory("1\n2\n", "run"));
  CHECK_THROWS_AS(measure(std::vector<SequenceRuns>{sequence}), InputError);
  sequence.repetitions[0] = parse_trajectory("1\n2\n0\n", "run");
  MeasureOptions options;
  options.low = 0;
  CHECK_THROWS_AS(measure(std::vector<SequenceRuns>{sequence}, options), InputError);
}
