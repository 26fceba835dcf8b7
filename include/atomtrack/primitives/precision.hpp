// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace atomtrack {

/// How exactly a backend multiplies in convolutions. Sums keep T's bits.
enum class Precision {
  full,      ///< all bits of T
  tf32,      ///< floats rounded to 10 bits of fraction, for the tensor cores of GPUs from Ampere on
  half,      ///< also to 5 bits of exponent, for those from Volta on
  bfloat16,  ///< factors and maps rounded to 7 bits of fraction, for CPUs that multiply such (AMX,
             ///< AVX-512 BF16)
};

/// The names of all, as a user writes them, from the most exact on.
std::vector<std::string> precision_names();
/// Throws InputError for any other name.
Precision parse_precision(const std::string& name);

}  // namespace atomtrack
