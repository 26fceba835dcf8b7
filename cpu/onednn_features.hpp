// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "atomtrack/primitives/feature_program.hpp"

namespace atomtrack::cpu {

/// A frozen network through oneDNN; defined only where the build has it.
/// Throws InputError for a precision that this CPU does not have.
std::unique_ptr<CompiledFeatures<float>> compile_with_onednn(const FeatureProgram<float>& program);

}  // namespace atomtrack::cpu
