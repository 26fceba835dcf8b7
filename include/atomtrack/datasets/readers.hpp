// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "atomtrack/datasets/dataset.hpp"

namespace atomtrack {

// Readers of training sets, laid out as they are distributed. A bad annotation is skipped and
// counted (Dataset::skipped); InputError is thrown only when nothing at all can be used, naming
// what was expected where. Symbolic links are followed.

/// Sequences root/<name>/img/* with root/<name>/groundtruth_rect.txt (1-based), or frames directly
/// in root/<name> with groundtruth.txt. A box of no size means that the target is absent.
Dataset read_otb_style(const std::string& root);

/// LaSOT: root/<class>/<class>-<n>/{img/%08d.jpg,groundtruth.txt,full_occlusion.txt,
/// out_of_view.txt}. Visible: neither fully occluded nor out of view. `split_file`, if not empty,
/// lists the names to take (lasot_train_split.txt).
Dataset read_lasot(const std::string& root, const std::string& split_file = "");

/// TrackingNet: root/TRAIN_<k>/{frames/<video>/<n>.jpg,anno/<video>.txt} for the chunks k given
/// (all that are there if empty). Visible: width and height positive.
Dataset read_trackingnet(const std::string& root, const std::vector<int>& chunks = {});

/// GOT-10k: root/<video>/{%08d.jpg,groundtruth.txt,absence.label,cover.label}, where root is a
/// split's folder (train or val). Visible: not absent and cover > 0. `split_file`, if not empty,
/// lists the names to take, or their indices in list.txt.
Dataset read_got10k(const std::string& root, const std::string& split_file = "");

/// ImageNet-VID: root/Annotations/VID/train/**/<video>/%06d.xml with the images under
/// root/Data/VID/train. Each track of a video becomes a sequence. Visible: annotated in that frame
/// and not occluded.
Dataset read_imagenet_vid(const std::string& root);

/// COCO: the images of an instances_*.json file. Crowds and boxes of no size are left out.
Dataset read_coco(const std::string& images, const std::string& annotations);

/// A folder of sets: every sub-folder with `instances.json` is read as COCO style (images in its
/// images/), every other as OTB style. The sets keep their names.
std::vector<Dataset> read_pool(const std::string& root);

}  // namespace atomtrack
