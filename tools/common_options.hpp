// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "atomtrack/tracker/tracker.hpp"
#include "tools/command_line.hpp"

namespace atomtrack::tools {

/// The options of every command that runs the tracker.
struct TrackerOptions {
  std::string weights;
  std::string device = "auto";
  std::string preset = "released";
  std::string variant = "atom";
  std::uint64_t seed = 0;
  std::string precision = "full";
  int threads = 0;  // 0: all cores

  void add_to(Arguments& arguments);
  /// Only what is not a matter of the tracker's settings: weights, device, threads,
  /// precision.
  void add_machine_to(Arguments& arguments);

  /// Applies the number of threads.
  void apply_threads() const;
  /// Preset, variant, seed and precision. Throws InputError.
  Options options() const;
  /// The device named; `auto` takes a GPU if this build can use one, and says so on stderr when it
  /// falls back to the CPU.
  Device chosen_device() const;
  /// Whether `chosen_device` will be the CPU without asking any driver.
  bool is_certainly_cpu() const;
};

/// The weights file to use: `given`, else the environment's ATOMTRACK_WEIGHTS, else the shipped
/// weights/atomtrack.h5 found from the program's own place. Empty if there is none.
std::string find_weights(const std::string& given);
/// The same; throws InputError saying in two lines what is missing.
std::string require_weights(const std::string& given);

/// Largest resident memory of the process so far, and the present one, in MiB.
double peak_resident_mb();
double resident_mb();

}  // namespace atomtrack::tools
