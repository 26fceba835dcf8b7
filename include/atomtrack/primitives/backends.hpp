// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "atomtrack/primitives/primitives.hpp"

namespace atomtrack {

// What each backend defines, once per scalar type: `primitives_for` chooses among these. Nothing
// else names a backend.

template <class T>
Primitives<T>& reference_primitives();
template <class T>
Primitives<T>& cpu_primitives();
/// Defined where the build has CUDA. Throws DeviceError when GPU `index` is absent or unusable.
template <class T>
Primitives<T>& cuda_primitives(int index);
/// As `hardware` of that GPU; defined and throwing like the above.
std::string cuda_hardware(int index);

}  // namespace atomtrack
