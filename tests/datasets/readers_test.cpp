// SPDX-License-Identifier: MIT
#include "atomtrack/datasets/readers.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>

#include "atomtrack/datasets/annotations.hpp"
#include "support/folder.hpp"

using namespace atomtrack;
using test::Folder;
using test::refusal;

TEST_CASE("an OTB folder is read, counting pixels from 0") {
  const Folder folder;
  folder.images("Ball/img", 1, 4, 4);
  folder.write("Ball/groundtruth_rect.txt", "11,21,5,6\n12\t22\t5\t6\n0,0,0,0\n13 23 5 6\n");
  folder.images("Cat/img", 7, 9, 4);
  folder.write("Cat/groundtruth_rect.txt", "1,1,5,6\nnonsense\n2,2,5,6\n3,3,4,4\n");
  folder.write("Empty/readme.txt", "");
  const Dataset dataset = read_otb_style(folder.root());
  REQUIRE(dataset.sequences.size() == 2);
  const Sequence& ball = dataset.sequences[0];
  CHECK(ball.name == "Ball");
  CHECK(ball.frames.path(3) == folder.root() + "/Ball/img/0004.jpg");
  CHECK(ball.boxes[0] == CompactBox{10, 20, 5, 6});
  CHECK(ball.usable() == std::vector<std::int32_t>{0, 1, 3});
  const Sequence& cat = dataset.sequences[1];
  CHECK(cat.boxes.size() == 3);  // one box more than frames
  CHECK(cat.frames.path(0) == folder.root() + "/Cat/img/0007.jpg");
  CHECK(cat.usable() == std::vector<std::int32_t>{0, 2});
  CHECK(dataset.skipped == 3);  // the bad line, the surplus box, the folder without frames
  CHECK(dataset.first_skips[0].find("Cat/groundtruth_rect.txt: line 2") != std::string::npos);
}

TEST_CASE("folders of frames may be links and may have gaps in their numbers") {
  const Folder folder, elsewhere;
  elsewhere.images("frames", 1, 2, 4);
  elsewhere.images("frames", 5, 5, 4, ".png");
  folder.write("Dog/groundtruth_rect.txt", "1,1,5,6\n1,1,5,6\n1,1,5,6\n");
  std::filesystem::create_directory_symlink(elsewhere.root() + "/frames",
                                            folder.root() + "/Dog/img");
  const Dataset dataset = read_otb_style(folder.root());
  REQUIRE(dataset.sequences.size() == 1);
  CHECK(dataset.sequences[0].frames.size() == 3);
  CHECK(dataset.sequences[0].frames.path(2) == folder.root() + "/Dog/img/0005.png");
}

TEST_CASE("LaSOT hides frames of full occlusion and out of view") {
  const Folder folder;
  for (const char* name : {"cat-1", "cat-2"}) {
    const std::string base = std::string("cat/") + name + "/";
    folder.write(base + "groundtruth.txt", "1,2,3,4\n5,6,7,8\n9,10,11,12\n1,1,1,1\n");
    folder.write(base + "full_occlusion.txt", "0,1,0,0");
    folder.write(base + "out_of_view.txt", "0,0,1,0\n");
  }
  folder.write("dog/dog-1/groundtruth.txt", "1,2,3,4\n");
  folder.write("dog/dog-1/full_occlusion.txt", "0");
  Dataset dataset = read_lasot(folder.root());
  REQUIRE(dataset.sequences.size() == 2);  // dog-1 lacks out_of_view.txt
  CHECK(dataset.skipped == 1);
  CHECK(dataset.sequences[0].usable() == std::vector<std::int32_t>{0, 3});
  CHECK(dataset.sequences[0].boxes[1] == CompactBox{5, 6, 7, 8});
  CHECK(dataset.sequences[0].frames.path(0) == folder.root() + "/cat/cat-1/img/00000001.jpg");
  folder.write("split.txt", "cat-2\nmouse-1\n");
  dataset = read_lasot(folder.root(), folder.root() + "/split.txt");
  REQUIRE(dataset.sequences.size() == 1);
  CHECK(dataset.sequences[0].name == "cat-2");
  CHECK(dataset.first_skips[0].find("mouse-1") != std::string::npos);
}

TEST_CASE("TrackingNet is read chunk by chunk") {
  const Folder folder;
  for (const char* chunk : {"TRAIN_0", "TRAIN_3"}) {
    folder.images(std::string(chunk) + "/frames/video", 0, 2, 0);
    folder.write(std::string(chunk) + "/anno/video.txt", "1,2,3,4\n1,2,0,4\n2,3,4,5\n");
  }
  Dataset dataset = read_trackingnet(folder.root());
  CHECK(dataset.sequences.size() == 2);
  dataset = read_trackingnet(folder.root(), {3, 7});
  REQUIRE(dataset.sequences.size() == 1);
  CHECK(dataset.skipped == 1);  // there is no TRAIN_7
  CHECK(dataset.sequences[0].frames.path(2) == folder.root() + "/TRAIN_3/frames/video/2.jpg");
  CHECK(dataset.sequences[0].usable() == std::vector<std::int32_t>{0, 2});
}

TEST_CASE("GOT-10k shows a target that is neither absent nor wholly covered") {
  const Folder folder;
  for (const char* name : {"GOT-10k_Train_000001", "GOT-10k_Train_000002"}) {
    const std::string base = std::string(name) + "/";
    folder.write(base + "groundtruth.txt", "1,2,3,4\n5,6,7,8\n9,10,11,12\n");
    folder.write(base + "absence.label", "0\n1\n0\n");
    folder.write(base + "cover.label", "8\n8\n0\n");
  }
  folder.write("list.txt", "GOT-10k_Train_000001\nGOT-10k_Train_000002\n");
  Dataset dataset = read_got10k(folder.root());
  REQUIRE(dataset.sequences.size() == 2);
  CHECK(dataset.sequences[1].usable() == std::vector<std::int32_t>{0});
  folder.write("split.txt", "1\n9\n");
  dataset = read_got10k(folder.root(), folder.root() + "/split.txt");
  REQUIRE(dataset.sequences.size() == 1);
  CHECK(dataset.sequences[0].name == "GOT-10k_Train_000002");
  CHECK(dataset.skipped == 1);
}

TEST_CASE("ImageNet-VID gives a sequence per track") {
  const Folder folder;
  const auto object = [](int id, int left, int occluded) {
    return "<object><trackid>" + std::to_string(id) + "</trackid><bndbox><xmax>" +
           std::to_string(left + 20) + "</xmax><xmin>" + std::to_string(left) +
           "</xmin><ymax>40</ymax><ymin>10</ymin></bndbox><occluded>" + std::to_string(occluded) +
           "</occluded></object>";
  };
  const std::string base = "Annotations/VID/train/part/video/";
  folder.write(base + "000000.xml",
               "<annotation>" + object(0, 5, 0) + object(1, 50, 0) + "</annotation>");
  folder.write(base + "000001.xml", "<annotation>" + object(0, 6, 1) + "</annotation>");
  folder.write(base + "000002.xml",
               "<annotation>" + object(0, 7, 0) + object(1, 52, 0) + "</annotation>");
  folder.write(base + "000003.xml", "<annotation><object>");
  const Dataset dataset = read_imagenet_vid(folder.root());
  REQUIRE(dataset.sequences.size() == 2);
  CHECK(dataset.skipped == 1);
  CHECK(dataset.sequences[0].usable() == std::vector<std::int32_t>{0, 2});
  CHECK(dataset.sequences[1].usable() == std::vector<std::int32_t>{0, 2});
  CHECK(dataset.sequences[0].boxes[2] == CompactBox{7, 10, 20, 30});
  CHECK(dataset.sequences[0].frames.path(1) ==
        folder.root() + "/Data/VID/train/part/video/000001.JPEG");
}

TEST_CASE("COCO leaves out crowds and counts what is wrong") {
  const Folder folder;
  folder.write(
      "a.json",
      R"({"images": [{"id": 1, "file_name": "x.jpg"}, {"id": 2, "file_name": "y.jpg"}, {"id": 3}],
    "annotations": [{"image_id": 1, "bbox": [1, 2, 3, 4]}, {"image_id": 1, "bbox": [5, 6, 7, 8], "iscrowd": 1},
      {"image_id": 2, "bbox": [1, 2, 0, 4]}, {"image_id": 9, "bbox": [1, 2, 3, 4]}, {"image_id": 1, "bbox": "none"}]})");
  const Dataset dataset = read_coco("/images", folder.root() + "/a.json");
  REQUIRE(dataset.stills.size() == 1);
  CHECK(dataset.stills[0].path == "/images/x.jpg");
  CHECK(dataset.stills[0].boxes == std::vector<CompactBox>{{1, 2, 3, 4}});
  CHECK(dataset.skipped == 4);
  folder.write("half.json", R"({"images": [{"id": 1,)");
  CHECK(refusal([&] { read_coco("", folder.root() + "/half.json"); }) ==
        folder.root() + "/half.json: is not complete JSON");
  folder.write("other.json", R"({"images": []})");
  CHECK(refusal([&] { read_coco("", folder.root() + "/other.json"); }) ==
        folder.root() + "/other.json: lacks the array 'annotations' of COCO's annotations");
}

TEST_CASE("a pool holds clips and images side by side") {
  const Folder folder;
  folder.images("clips/one/img", 1, 2, 4);
  folder.write("clips/one/groundtruth_rect.txt", "1,1,5,6\n1,1,5,6\n");
  folder.write(
      "stills/instances.json",
      R"({"images": [{"id": 1, "file_name": "x.jpg"}], "annotations": [{"image_id": 1, "bbox": [1, 2, 3, 4]}]})");
  const auto sets = read_pool(folder.root());
  REQUIRE(sets.size() == 2);
  CHECK(sets[0].name == "clips");
  CHECK(sets[0].sequences.size() == 1);
  CHECK(sets[1].name == "stills");
  CHECK(sets[1].stills[0].path == folder.root() + "/stills/images/x.jpg");
}

TEST_CASE("a folder without the expected contents is refused, naming what was expected") {
  const Folder folder;
  std::filesystem::create_directories(folder.root() + "/sub");
  for (const auto& read : std::vector<std::function<void()>>{
           [&] { read_otb_style(folder.root()); }, [&] { read_lasot(folder.root()); },
           [&] { read_trackingnet(folder.root()); }, [&] { read_got10k(folder.root()); },
           [&] { read_imagenet_vid(folder.root()); },
           [&] { read_otb_style(folder.root() + "/no"); },
           [&] { read_coco("", folder.root() + "/no.json"); }}) {
    CHECK(refusal(read).find(folder.root()) == 0);
  }
}

TEST_CASE("annotation lines of every style are read") {
  CHECK(box_of_line("1,2,3,4", 1.0) == Box{0, 1, 3, 4});
  CHECK(box_of_line(" 1.5\t2 3;4\r", 0.0) == Box{1.5, 2, 3, 4});
  CHECK(box_of_line("1,1,5,1,5,4,1,4", 0.0) == Box{1, 1, 4, 3});
  CHECK(std::isnan(box_of_line("NaN,NaN,NaN,NaN", 0.0)->x));
  CHECK_FALSE(box_of_line("1,2,3", 0.0).has_value());
  CHECK_FALSE(box_of_line("1,2,3,four", 0.0).has_value());
}
