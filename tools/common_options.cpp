// SPDX-License-Identifier: MIT
#include "tools/common_options.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "atomtrack/primitives/primitives.hpp"

namespace atomtrack::tools {

namespace fs = std::filesystem;

void TrackerOptions::add_machine_to(Arguments& arguments) {
  arguments.text("--weights", weights,
                 "weights file (else $ATOMTRACK_WEIGHTS, else the shipped weights/atomtrack.h5)",
                 "FILE");
  arguments.text("--device", device, "auto, cpu, cuda, cuda:INDEX or reference");
  arguments.number("--threads", threads, "host threads (0: all cores)", 0, 1024);
  arguments.choice("--precision", precision, precision_names(),
                   "of the network's convolutions: tf32 and half are for GPUs, bfloat16 for CPUs "
                   "that have it");
}

void TrackerOptions::add_to(Arguments& arguments) {
  add_machine_to(arguments);
  arguments.text("--preset", preset,
                 "released, paper, vot2018, steady or adaptive (docs/options.md)");
  arguments.text(
      "--variant", variant,
      "atom, multi-scale, no-classifier, gd, gd++ or no-hard-negatives (Table 2 of the paper)");
  arguments.number("--seed", seed, "the same seed gives the same boxes");
}

void TrackerOptions::apply_threads() const {
  if (threads > 0) set_threads(threads);
}

Options TrackerOptions::options() const {
  Options result = Options::preset(preset).variant(variant);
  result.seed = seed;
  result.feature_precision = parse_precision(precision);
  return result;
}

Device TrackerOptions::chosen_device() const {
  if (device != "auto") {
    const Device named = parse_device(device);
    primitives_for<float>(named);  // throws DeviceError when it cannot be used
    return named;
  }
#ifdef ATOMTRACK_WITH_CUDA
  try {
    primitives_for<float>(Device::cuda());
    return Device::cuda();
  } catch (const DeviceError& error) {
    std::cerr << "atomtrack: no GPU is used: " << error.what() << "\n";
  }
#endif
  return Device::cpu();
}

bool TrackerOptions::is_certainly_cpu() const {
#ifdef ATOMTRACK_WITH_CUDA
  return device == "cpu";
#else
  return device == "cpu" || device == "auto";
#endif
}

std::string find_weights(const std::string& given) {
  if (!given.empty()) return given;
  const char* named = std::getenv(
      "ATOMTRACK_WEIGHTS");  // NOLINT(concurrency-mt-unsafe): nobody changes the environment
  if (named != nullptr && *named != '\0') return named;
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error).parent_path();
  // build/<preset>/bin in the source tree, or bin of an installation.
  for (const fs::path& place :
       {program / "../../../weights/atomtrack.h5", program / "../share/atomtrack/atomtrack.h5"}) {
    if (fs::exists(place, error)) return fs::weakly_canonical(place, error).string();
  }
  return "";
}

std::string require_weights(const std::string& given) {
  std::string found = find_weights(given);
  require<InputError>(!found.empty(),
                      "no weights: give --weights FILE or set ATOMTRACK_WEIGHTS; the shipped "
                      "weights/atomtrack.h5 is not there.\n"
                      "tools/convert_weights.py makes a file from torchvision's ResNet-18 or a "
                      "pytracking ATOM checkpoint (docs/weights.md).");
  return found;
}

double peak_resident_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

double resident_mb() {
  long size = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> size >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) /
         (1024.0 * 1024.0);
}

}  // namespace atomtrack::tools
