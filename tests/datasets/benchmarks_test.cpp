// SPDX-License-Identifier: MIT
#include "atomtrack/datasets/benchmarks.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "datasets/benchmark_tables.hpp"
#include "support/folder.hpp"

using namespace atomtrack;
using test::Folder;
using test::refusal;

namespace {

/// `count` lines "first+i,20,30,40".
std::string boxes(int count, int first = 10) {
  std::string text;
  for (int i = 0; i < count; ++i) text += std::to_string(first + i) + ",20,30,40\n";
  return text;
}

const BenchmarkSequence& named(const Benchmark& benchmark, const std::string& name) {
  for (const BenchmarkSequence& sequence : benchmark.sequences) {
    if (sequence.name == name) return sequence;
  }
  FAIL("no sequence " << name);
  return benchmark.sequences.front();
}

bool ends_with(const BenchmarkSequence& sequence, std::size_t frame, const std::string& end) {
  return sequence.frames.path(frame).ends_with(end);
}

}  // namespace

TEST_CASE("OTB's exceptions: start frames, two targets in a folder, omitted frames") {
  const Folder folder;
  folder.images("David/img", 1, 304, 4);
  folder.write("David/groundtruth_rect.txt", boxes(5));
  folder.images("Jogging/img", 1, 3, 4);
  folder.write("Jogging/groundtruth_rect.1.txt", boxes(3, 100));
  folder.write("Jogging/groundtruth_rect.2.txt", boxes(3, 200));
  folder.images("Human4/img", 1, 3, 4);
  folder.write("Human4/groundtruth_rect.2.txt", boxes(3, 50));
  folder.images("Tiger1/img", 1, 9, 4);
  folder.write("Tiger1/groundtruth_rect.txt", boxes(9));
  folder.write("Tiger1/attrs.txt", "IV, OCC, FM\n");
  folder.write("anno/att/David.txt", "1,0,0,0,0,0,0,1,0,0,0\n");
  const Benchmark benchmark = read_benchmark(folder.root(), BenchmarkLayout::otb);
  REQUIRE(benchmark.sequences.size() == 5);
  CHECK(benchmark.remarks.empty());

  const BenchmarkSequence& david = named(benchmark, "David");
  REQUIRE(david.frames.size() == 5);
  CHECK(ends_with(david, 0, "/David/img/0300.jpg"));
  CHECK(ends_with(david, 4, "/David/img/0304.jpg"));
  CHECK(david.boxes[0] == Box{9, 19, 30, 40});
  CHECK(david.attributes == std::vector<std::string>{"IV", "OPR"});

  CHECK(named(benchmark, "Jogging_1").boxes[2] == Box{101, 19, 30, 40});
  CHECK(named(benchmark, "Jogging_2").boxes[2] == Box{201, 19, 30, 40});
  CHECK(named(benchmark, "Human4").boxes[0] == Box{49, 19, 30, 40});

  const BenchmarkSequence& tiger = named(benchmark, "Tiger1");
  REQUIRE(tiger.frames.size() == 4);
  CHECK(ends_with(tiger, 0, "/Tiger1/img/0006.jpg"));
  CHECK(tiger.boxes[0] == Box{14, 19, 30, 40});
  CHECK(tiger.attributes == std::vector<std::string>{"IV", "OCC", "FM"});
}

TEST_CASE("a folder cut to its annotated frames needs no exception") {
  const Folder folder;
  folder.images("David/img", 1, 5, 4);
  folder.write("David/groundtruth_rect.txt", boxes(5));
  const Benchmark benchmark = read_benchmark(folder.root(), BenchmarkLayout::otb);
  CHECK(ends_with(benchmark.sequences.front(), 0, "/0001.jpg"));
}

TEST_CASE("what is wrong with a sequence is said with the rule applied, and the rest goes on") {
  const Folder folder;
  folder.images("Short/img", 1, 3, 4);
  folder.write("Short/groundtruth_rect.txt", boxes(5));
  folder.images("Torn/img", 1, 3, 4);
  folder.write("Torn/groundtruth_rect.txt", "1,2,3,4\nnonsense\n5,6,7,8\n");
  folder.images("Absent/img", 1, 2, 4);
  folder.write("Absent/groundtruth_rect.txt", "0,0,0,0\n1,1,5,5\n");
  folder.write("Empty/groundtruth_rect.txt", boxes(2));
  const Benchmark benchmark = read_benchmark(folder.root(), BenchmarkLayout::otb);
  REQUIRE(benchmark.sequences.size() == 2);
  CHECK(named(benchmark, "Short").boxes.size() == 3);
  CHECK(named(benchmark, "Short").frames.size() == 3);
  CHECK(std::isnan(named(benchmark, "Torn").boxes[1].x));
  REQUIRE(benchmark.remarks.size() == 4);
  CHECK(benchmark.remarks[0] == "Absent: left out: Absent: the first frame shows no target");
  CHECK(benchmark.remarks[1].starts_with("Empty: left out: "));
  CHECK(benchmark.remarks[2] == "Short: 5 boxes for 3 frames; the first 3 are used");
  CHECK(benchmark.remarks[3].ends_with(
      "line 2 is no box; the target counts as absent in that frame"));
}

TEST_CASE("names choose sequences, and one that is not there is an error") {
  const Folder folder;
  for (const char* name : {"A", "B"}) {
    folder.images(std::string(name) + "/img", 1, 2, 4);
    folder.write(std::string(name) + "/groundtruth_rect.txt", boxes(2));
  }
  const Benchmark benchmark = read_benchmark(folder.root(), BenchmarkLayout::otb, {"B"});
  REQUIRE(benchmark.sequences.size() == 1);
  CHECK(benchmark.sequences[0].name == "B");
  CHECK(refusal([&] { read_benchmark(folder.root(), BenchmarkLayout::otb, {"C"}); }) ==
        folder.root() + ": there is no sequence C");
  CHECK(refusal([] { parse_benchmark_layout("otb100"); }).starts_with("layout 'otb100': expected"));
}

TEST_CASE("UAV123 cuts videos into sequences and marks twelve attributes") {
  const Folder folder;
  folder.images("data_seq/UAV123/bird1", 1, 780, 6);
  folder.write("anno/UAV123/bird1_2.txt", "1,2,3,4\nNaN,NaN,NaN,NaN\n5,6,7,8\n");
  folder.write("anno/UAV123/att/bird1_2.txt", "0,0,1,0,0,0,0,0,0,0,0,1\n");
  folder.images("data_seq/UAV123/boat1", 1, 3, 6);
  folder.write("anno/UAV123/boat1.txt", boxes(3));
  folder.write("anno/UAV123/bird1_3.txt", boxes(3));
  const Benchmark benchmark = read_benchmark(folder.root(), BenchmarkLayout::uav123);
  REQUIRE(benchmark.sequences.size() == 2);
  const BenchmarkSequence& bird = named(benchmark, "bird1_2");
  REQUIRE(bird.frames.size() == 3);
  CHECK(ends_with(bird, 0, "/bird1/000775.jpg"));
  CHECK(std::isnan(bird.boxes[1].width));
  CHECK(bird.attributes == std::vector<std::string>{"LR", "SOB"});
  REQUIRE(benchmark.remarks.size() == 1);
  CHECK(benchmark.remarks[0].ends_with("780 images, expected at least 1575"));
}

TEST_CASE("LaSOT leaves out frames in which the target is hidden or out of view") {
  const Folder folder;
  folder.images("cat/cat-3/img", 1, 4, 8);
  folder.write("cat/cat-3/groundtruth.txt", boxes(4));
  folder.write("cat/cat-3/full_occlusion.txt", "0,1,0,0\n");
  folder.write("cat/cat-3/out_of_view.txt", "0,0,0,1\n");
  const Benchmark benchmark = read_benchmark(folder.root(), BenchmarkLayout::lasot);
  CHECK(benchmark.sequences[0].visible == std::vector<std::uint8_t>{1, 0, 1, 0});
}

TEST_CASE("hidden annotations: TrackingNet and GOT-10k give the first box alone") {
  const Folder folder;
  folder.images("TEST/frames/video", 0, 11, 1);
  folder.write("TEST/anno/video.txt", "5,6,7,8\n");
  const Benchmark net = read_benchmark(folder.root(), BenchmarkLayout::trackingnet);
  REQUIRE(net.sequences[0].frames.size() == 12);
  CHECK(net.sequences[0].has_hidden_boxes());
  CHECK(ends_with(net.sequences[0], 2, "/2.jpg"));
  CHECK(ends_with(net.sequences[0], 10, "/10.jpg"));

  const Folder got;
  got.images("GOT-10k_Test_000001", 1, 3, 8);
  got.write("GOT-10k_Test_000001/groundtruth.txt", "5,6,7,8\n");
  got.images("GOT-10k_Val_000002", 1, 3, 8);
  got.write("GOT-10k_Val_000002/groundtruth.txt", boxes(3));
  got.write("GOT-10k_Val_000002/absence.label", "0\n1\n0\n");
  const Benchmark ten = read_benchmark(got.root(), BenchmarkLayout::got10k);
  CHECK(ten.sequences[0].has_hidden_boxes());
  CHECK(ten.sequences[1].visible == std::vector<std::uint8_t>{1, 0, 1});
}

TEST_CASE("NFS and VOT folders") {
  const Folder folder;
  folder.images("sequences/ball", 1, 3, 5);
  folder.write("anno/nfs_ball.txt", "1\t2\t3\t4\n1\t2\t3\t4\n1\t2\t3\t4\n");
  CHECK(read_benchmark(folder.root(), BenchmarkLayout::nfs).sequences[0].boxes[0] ==
        Box{1, 2, 3, 4});
  const Folder vot;
  vot.images("bag/color", 1, 2, 8);
  vot.write("bag/groundtruth.txt", "1,1,5,1,5,4,1,4\n1,1,5,1,5,4,1,4\n");
  CHECK(read_benchmark(vot.root(), BenchmarkLayout::vot2018).sequences[0].boxes[0] ==
        Box{1, 1, 4, 3});
}

TEST_CASE("the parts of a UAV123 video follow each other") {
  std::string folder;
  std::int64_t start = 0;
  for (const auto& [name, part] : datasets::uav123_parts()) {
    CAPTURE(name);
    CHECK(name.starts_with(part.folder + "_"));
    if (part.folder != folder) {
      CHECK(part.first_frame == 1);
    } else {
      CHECK(part.first_frame > start);
    }
    folder = part.folder;
    start = part.first_frame;
  }
}
