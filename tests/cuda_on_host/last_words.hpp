// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>

namespace cuda_on_host {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

/// What a child process that does `work` says on stderr before it dies of `signal`; what went wrong
/// otherwise. The address sanitizer ends a process itself.
std::string last_words(int signal, const std::function<void()>& work);

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace cuda_on_host
