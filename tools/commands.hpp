// SPDX-License-Identifier: MIT
#pragma once

#include "tools/command_line.hpp"

namespace atomtrack::tools {

// Each adds one sub-command to `line`. When it is chosen its callback runs it; what goes wrong is
// thrown, and `exit_status` is set where success has more than one meaning.

void add_track_command(CommandLine& line, int& exit_status);
void add_bench_command(CommandLine& line, int& exit_status);
void add_gradcheck_command(CommandLine& line, int& exit_status);
void add_info_command(CommandLine& line, int& exit_status);
void add_train_command(CommandLine& line, int& exit_status);
void add_evaluate_command(CommandLine& line, int& exit_status);
void add_ablate_command(CommandLine& line, int& exit_status);
void add_score_command(CommandLine& line, int& exit_status);
void add_selftest_command(CommandLine& line, int& exit_status);
void add_trax_command(CommandLine& line, int& exit_status);

}  // namespace atomtrack::tools
