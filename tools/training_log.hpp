// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "atomtrack/training/trainer.hpp"

namespace atomtrack::tools {

/// The course of a training as two CSV files, and as a picture. Rows can be taken back: a training
/// that is resumed from a checkpoint writes those after it again.
class TrainingLog {
 public:
  explicit TrainingLog(std::string folder) : folder_(std::move(folder)) {}

  /// Reads what an earlier run wrote, up to a number of pairs.
  void load(std::int64_t pairs);
  void add(const Trainer::Step& step);
  void add(std::int64_t pairs, const ValidationReport& report);

  /// Writes steps.csv, validation.csv and curves.svg into the folder; each is complete or as
  /// before.
  void save() const;

 private:
  struct StepRow {
    std::int64_t pairs;
    double loss, mean_error, head_rate, backbone_rate;
  };
  struct ValidationRow {
    std::int64_t pairs;
    OverlapErrors first, further;
  };
  std::string curves() const;

  std::string folder_;
  std::vector<StepRow> steps_;
  std::vector<ValidationRow> validations_;
};

}  // namespace atomtrack::tools
