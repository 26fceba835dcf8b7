// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace cuda_on_host {

/// Ends the process with "cuda_on_host: <message>" on stderr: what a program does wrong here would
/// be undefined behaviour on a GPU, where no status could be relied on to tell of it.
[[noreturn]] void fatal(const std::string& message);

/// Says on stderr why a call is about to return an error status.
void complain(const std::string& message);

}  // namespace cuda_on_host
