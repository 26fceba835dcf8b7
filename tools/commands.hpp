// SPDX-License-Identifier: MIT
#pragma once

#include <CLI/CLI.hpp>

namespace atomtrack::tools {

// Each adds one sub-command to `app`. When it is chosen its callback runs it; what goes wrong is
// thrown, and `exit_status` is set where success has more than one meaning.

void add_track_command(CLI::App& app, int& exit_status);
void add_bench_command(CLI::App& app, int& exit_status);
void add_gradcheck_command(CLI::App& app, int& exit_status);
void add_info_command(CLI::App& app, int& exit_status);
void add_train_command(CLI::App& app, int& exit_status);
void add_evaluate_command(CLI::App& app, int& exit_status);
void add_ablate_command(CLI::App& app, int& exit_status);
void add_score_command(CLI::App& app, int& exit_status);
void add_selftest_command(CLI::App& app, int& exit_status);
void add_trax_command(CLI::App& app, int& exit_status);

}  // namespace atomtrack::tools
