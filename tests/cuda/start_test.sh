#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The program built with CUDA starts on any machine: with a GPU it passes its own test there, without one it names the reason, and --device auto goes on with the CPU.
#   start_test.sh COMMAND
set -u
command=$1
output=$("$command" selftest --device cuda --frames 20 2>&1)
status=$?
if [ $status -eq 0 ]; then
  grep -q "all parts passed" <<< "$output" || { echo "passed without saying so: $output"; exit 1; }
  exit 0
fi
grep -Eq "CUDA error (34|35|100)\)" <<< "$output" || { echo "no GPU, but not one of the expected reasons: $output"; exit 1; }
grep -q "use --device cpu\|stubs folder" <<< "$output" || { echo "does not say what to do: $output"; exit 1; }
output=$("$command" selftest --frames 2 2>&1) || { echo "--device auto did not fall back: $output"; exit 1; }
grep -q "no GPU is used" <<< "$output" || { echo "--device auto does not say why: $output"; exit 1; }
grep -q " on cpu" <<< "$output" || { echo "expected the cpu: $output"; exit 1; }
grep -Eq "roofline +ok +[1-9][0-9]* GFLOP/s, [1-9][0-9]* GB/s measured; features [0-9]+ %" <<< "$output" || { echo "no roofline: $output"; exit 1; }
