// SPDX-License-Identifier: MIT
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

// A test asks for more memory than there is: a sanitizer's allocator shall answer as the system's
// does. These are the names under which the sanitizers look for their options.
extern "C" const char* __asan_default_options() {  // NOLINT
  return "allocator_may_return_null=1";
}
extern "C" const char* __tsan_default_options() {  // NOLINT
  return "allocator_may_return_null=1";
}
