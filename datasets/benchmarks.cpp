// SPDX-License-Identifier: MIT
#include "atomtrack/datasets/benchmarks.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <sstream>

#include "datasets/benchmark_tables.hpp"
#include "datasets/folders.hpp"

namespace atomtrack {

using namespace datasets;

namespace {

constexpr std::array<const char*, 7> layout_names{"otb",         "nfs",    "uav123", "lasot",
                                                  "trackingnet", "got10k", "vot2018"};

/// Reads one sequence after the other into a benchmark.
class Reading {
 public:
  Reading(std::string root, BenchmarkLayout layout, const std::vector<std::string>& names)
      : root_(std::move(root)), wanted_(names.begin(), names.end()) {
    benchmark_.layout = layout;
  }

  const std::string& root() const { return root_; }

  /// Adds `read(name)` if the name is wanted; what throws InputError becomes a remark.
  template <class Read>
  void add(const std::string& name, Read read) {
    if (!wanted_.empty() && wanted_.count(name) == 0) return;
    require<InputError>(found_.insert(name).second, root_, ": two sequences are called ", name);
    try {
      BenchmarkSequence sequence = read(name);
      sequence.name = name;
      const Box& first = sequence.boxes.front();
      require<InputError>(first.width > 0 && first.height > 0, name,
                          ": the first frame shows no target");
      sequence.visible.resize(sequence.frames.size(), 1);
      benchmark_.sequences.push_back(std::move(sequence));
    } catch (const InputError& error) {
      remark(name, concatenate("left out: ", error.what()));
    }
  }

  /// Boxes of a file; a bad line counts as an absent target.
  std::vector<Box> boxes(const std::string& name, const std::string& path) {
    std::vector<int> bad;
    std::vector<Box> result = read_box_file(path, first_pixel(benchmark_.layout), &bad);
    for (const int line : bad)
      remark(name, concatenate(path, ": line ", line,
                               " is no box; the target counts as absent in that frame"));
    return result;
  }

  /// A sequence of as many frames as there are boxes.
  BenchmarkSequence together(const std::string& name, FrameFiles frames, std::vector<Box> boxes) {
    if (frames.size() != boxes.size()) {
      const std::size_t count = std::min(frames.size(), boxes.size());
      remark(name, concatenate(boxes.size(), " boxes for ", frames.size(), " frames; the first ",
                               count, " are used"));
      boxes.resize(count);
    }
    BenchmarkSequence sequence;
    sequence.frames = frames.first(boxes.size());
    sequence.boxes = std::move(boxes);
    return sequence;
  }

  /// The names whose flag is set in a file of as many flags, if there is one.
  std::vector<std::string> attributes(const std::string& name, const std::string& path,
                                      const std::vector<std::string>& names) {
    if (!is_file(path)) return {};
    const std::vector<double> flags = read_number_file(path);
    if (flags.size() != names.size()) {
      remark(name, concatenate(path, ": ", flags.size(), " flags, expected ", names.size(),
                               "; the attributes are left out"));
      return {};
    }
    std::vector<std::string> set;
    for (std::size_t i = 0; i < flags.size(); ++i) {
      if (flags[i] != 0.0) set.push_back(names[i]);
    }
    return set;
  }

  void remark(const std::string& name, const std::string& what) {
    benchmark_.remarks.push_back(name + ": " + what);
  }

  Benchmark finish(const char* expected) {
    for (const std::string& name : wanted_)
      require<InputError>(found_.count(name) == 1, root_, ": there is no sequence ", name);
    require<InputError>(!benchmark_.sequences.empty(), root_, ": no sequence was found, expected ",
                        expected, benchmark_.remarks.empty() ? "" : "; first problem: ",
                        benchmark_.remarks.empty() ? "" : benchmark_.remarks.front());
    return std::move(benchmark_);
  }

 private:
  std::string root_;
  std::set<std::string> wanted_, found_;
  Benchmark benchmark_;
};

/// Marks the frames for which `seen` of the flag at the same position is false.
template <class Seen>
void mark(BenchmarkSequence& sequence, const std::string& flag_file, Seen seen) {
  if (!is_file(flag_file)) return;
  const std::vector<double> flags = read_number_file(flag_file);
  require<InputError>(flags.size() >= sequence.frames.size(), flag_file, ": ", flags.size(),
                      " flags for ", sequence.frames.size(), " frames");
  sequence.visible.resize(sequence.frames.size(), 1);
  for (std::size_t i = 0; i < sequence.visible.size(); ++i) {
    if (!seen(flags[i])) sequence.visible[i] = 0;
  }
}

/// The words of attrs.txt, as OTB's downloads carry it: "IV, SV, OCC".
std::vector<std::string> attribute_words(const std::string& path) {
  std::vector<std::string> words;
  if (!is_file(path)) return words;
  for (std::string line : read_lines(path)) {
    std::replace(line.begin(), line.end(), ',', ' ');
    std::istringstream stream(line);
    for (std::string word; stream >> word;) words.push_back(word);
  }
  return words;
}

/// One sequence of an OTB folder. Jogging and Skating2 hold two targets in one folder, Human4's
/// target is the second of its files.
void add_otb(Reading& reading, const std::string& folder_name, const std::string& name,
             const std::string& box_file) {
  reading.add(name, [&](const std::string&) {
    const std::string folder = reading.root() + "/" + folder_name;
    FrameFiles frames =
        FrameFiles::in_folder(is_folder(folder + "/img") ? folder + "/img" : folder);
    std::vector<Box> boxes = reading.boxes(name, folder + "/" + box_file);
    const auto exception = otb_exceptions().find(name);
    // A folder that was cut to the annotated part already has nothing to skip.
    if (exception != otb_exceptions().end() && frames.size() > boxes.size())
      frames = frames.from(static_cast<std::size_t>(exception->second.first_frame - 1));
    if (exception != otb_exceptions().end() && exception->second.omit > 0) {
      const auto omit = static_cast<std::size_t>(exception->second.omit);
      require<InputError>(boxes.size() > omit && frames.size() > omit, folder, ": ", boxes.size(),
                          " boxes, expected more than ", omit);
      frames = frames.from(omit);
      boxes.erase(boxes.begin(), boxes.begin() + static_cast<std::ptrdiff_t>(omit));
    }
    BenchmarkSequence sequence = reading.together(name, frames, std::move(boxes));
    sequence.attributes = attribute_words(folder + "/attrs.txt");
    if (sequence.attributes.empty())
      sequence.attributes =
          reading.attributes(name, reading.root() + "/anno/att/" + name + ".txt", otb_attributes());
    return sequence;
  });
}

Benchmark read_otb(Reading reading) {
  for (const std::string& folder : subfolders(reading.root())) {
    const std::string path = reading.root() + "/" + folder;
    const auto holds = [&](const char* file) { return is_file(path + "/" + file); };
    const bool two = holds("groundtruth_rect.1.txt") && holds("groundtruth_rect.2.txt");
    if (folder == "Human4" && holds("groundtruth_rect.2.txt")) {
      add_otb(reading, folder, folder, "groundtruth_rect.2.txt");
    } else if (two) {
      add_otb(reading, folder, folder + "_1", "groundtruth_rect.1.txt");
      add_otb(reading, folder, folder + "_2", "groundtruth_rect.2.txt");
    } else if (holds("groundtruth_rect.txt")) {
      add_otb(reading, folder, folder, "groundtruth_rect.txt");
    } else if (holds("groundtruth.txt")) {
      add_otb(reading, folder, folder, "groundtruth.txt");
    }
  }
  return reading.finish("folders <name>/img with <name>/groundtruth_rect.txt");
}

/// As OTB with groundtruth.txt, frames in color/ or in the folder itself.
Benchmark read_vot(Reading reading) {
  for (const std::string& name : subfolders(reading.root())) {
    const std::string folder = reading.root() + "/" + name;
    if (!is_file(folder + "/groundtruth.txt")) continue;
    reading.add(name, [&](const std::string&) {
      const std::string images = is_folder(folder + "/color") ? folder + "/color" : folder;
      BenchmarkSequence sequence = reading.together(
          name, FrameFiles::in_folder(images), reading.boxes(name, folder + "/groundtruth.txt"));
      sequence.annotation_file = folder + "/groundtruth.txt";
      return sequence;
    });
  }
  return reading.finish("folders <name>/color with <name>/groundtruth.txt");
}

Benchmark read_nfs(Reading reading) {
  for (const std::string& name : subfolders(reading.root() + "/sequences")) {
    reading.add(name, [&](const std::string&) {
      return reading.together(name, FrameFiles::in_folder(reading.root() + "/sequences/" + name),
                              reading.boxes(name, reading.root() + "/anno/nfs_" + name + ".txt"));
    });
  }
  return reading.finish("sequences/<name> with anno/nfs_<name>.txt");
}

Benchmark read_uav123(Reading reading) {
  const std::string annotations = reading.root() + "/anno/UAV123";
  for (const std::string& file : files_ending(annotations, ".txt")) {
    const std::string name = file.substr(0, file.size() - 4);
    reading.add(name, [&](const std::string&) {
      const auto part = uav123_parts().find(name);
      const bool cut = part != uav123_parts().end();
      const std::string folder =
          reading.root() + "/data_seq/UAV123/" + (cut ? part->second.folder : name);
      const std::vector<Box> boxes = reading.boxes(name, annotations + "/" + file);
      const FrameFiles all = FrameFiles::in_folder(folder);
      const std::size_t skipped = cut ? static_cast<std::size_t>(part->second.first_frame - 1) : 0;
      require<InputError>(skipped + boxes.size() <= all.size(), folder, ": ", all.size(),
                          " images, expected at least ", skipped + boxes.size());
      BenchmarkSequence sequence =
          reading.together(name, all.from(skipped).first(boxes.size()), boxes);
      sequence.attributes =
          reading.attributes(name, annotations + "/att/" + file, uav123_attributes());
      return sequence;
    });
  }
  return reading.finish("data_seq/UAV123/<video> with anno/UAV123/<sequence>.txt");
}

Benchmark read_lasot_test(Reading reading) {
  for (const std::string& category : subfolders(reading.root())) {
    for (const std::string& name : subfolders(reading.root() + "/" + category)) {
      const std::string folder = reading.root() + "/" + category + "/" + name;
      if (!is_file(folder + "/groundtruth.txt")) continue;
      reading.add(name, [&](const std::string&) {
        BenchmarkSequence sequence =
            reading.together(name, FrameFiles::in_folder(folder + "/img"),
                             reading.boxes(name, folder + "/groundtruth.txt"));
        const auto unset = [](double flag) { return flag == 0.0; };
        mark(sequence, folder + "/full_occlusion.txt", unset);
        mark(sequence, folder + "/out_of_view.txt", unset);
        sequence.attributes =
            reading.attributes(name, reading.root() + "/att/" + name + ".txt", lasot_attributes());
        return sequence;
      });
    }
  }
  return reading.finish("<class>/<class>-<n>/img with groundtruth.txt");
}

/// A single line is the first frame of hidden annotations.
BenchmarkSequence maybe_hidden(Reading& reading, const std::string& name, FrameFiles frames,
                               std::vector<Box> boxes) {
  if (boxes.size() > 1 || frames.size() == 1)
    return reading.together(name, std::move(frames), std::move(boxes));
  BenchmarkSequence sequence;
  sequence.frames = std::move(frames);
  sequence.boxes = std::move(boxes);
  return sequence;
}

Benchmark read_trackingnet_test(Reading reading) {
  const std::string part =
      is_folder(reading.root() + "/TEST") ? reading.root() + "/TEST" : reading.root();
  for (const std::string& name : subfolders(part + "/frames")) {
    reading.add(name, [&](const std::string&) {
      // Named 0.jpg, 1.jpg, ..., 10.jpg: in the order of their numbers, not of their names.
      const std::string folder = part + "/frames/" + name;
      const std::size_t count = FrameFiles::in_folder(folder).size();
      return maybe_hidden(reading, name, FrameFiles::numbered(folder, 0, 0, ".jpg", count),
                          reading.boxes(name, part + "/anno/" + name + ".txt"));
    });
  }
  return reading.finish("TEST/frames/<video> with TEST/anno/<video>.txt");
}

Benchmark read_got10k_split(Reading reading) {
  const std::string list = reading.root() + "/list.txt";
  for (const std::string& name : is_file(list) ? read_lines(list) : subfolders(reading.root())) {
    const std::string folder = reading.root() + "/" + name;
    reading.add(name, [&](const std::string&) {
      BenchmarkSequence sequence = maybe_hidden(reading, name, FrameFiles::in_folder(folder),
                                                reading.boxes(name, folder + "/groundtruth.txt"));
      if (!sequence.has_hidden_boxes()) {
        mark(sequence, folder + "/absence.label", [](double flag) { return flag == 0.0; });
        mark(sequence, folder + "/cover.label", [](double flag) { return flag > 0.0; });
      }
      return sequence;
    });
  }
  return reading.finish("<video>/%08d.jpg with <video>/groundtruth.txt");
}

}  // namespace

std::string name_of(BenchmarkLayout layout) {
  return layout_names.at(static_cast<std::size_t>(layout));
}

BenchmarkLayout parse_benchmark_layout(const std::string& name) {
  for (std::size_t i = 0; i < layout_names.size(); ++i) {
    if (name == layout_names[i]) return static_cast<BenchmarkLayout>(i);
  }
  throw InputError(concatenate("layout '", name,
                               "': expected otb, nfs, uav123, lasot, trackingnet, got10k or "
                               "vot2018"));
}

double first_pixel(BenchmarkLayout layout) {
  switch (layout) {
    case BenchmarkLayout::otb:
    case BenchmarkLayout::uav123:
    case BenchmarkLayout::lasot:
      return 1.0;
    case BenchmarkLayout::nfs:
    case BenchmarkLayout::got10k:
    case BenchmarkLayout::trackingnet:
    case BenchmarkLayout::vot2018:
      return 0.0;
  }
  return 0.0;
}

Benchmark read_benchmark(const std::string& root, BenchmarkLayout layout,
                         const std::vector<std::string>& names) {
  Reading reading(root, layout, names);
  switch (layout) {
    case BenchmarkLayout::otb:
      return read_otb(std::move(reading));
    case BenchmarkLayout::nfs:
      return read_nfs(std::move(reading));
    case BenchmarkLayout::uav123:
      return read_uav123(std::move(reading));
    case BenchmarkLayout::lasot:
      return read_lasot_test(std::move(reading));
    case BenchmarkLayout::trackingnet:
      return read_trackingnet_test(std::move(reading));
    case BenchmarkLayout::got10k:
      return read_got10k_split(std::move(reading));
    case BenchmarkLayout::vot2018:
      return read_vot(std::move(reading));
  }
  throw InputError("no such layout");
}

}  // namespace atomtrack
