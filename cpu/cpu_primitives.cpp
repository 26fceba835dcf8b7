// SPDX-License-Identifier: MIT
#include "cpu/cpu_primitives.hpp"

#include <type_traits>

#include "atomtrack/primitives/backends.hpp"
#include "atomtrack/primitives/checks.hpp"
#include "atomtrack/primitives/interpreted_features.hpp"
#include "cpu/onednn_features.hpp"

namespace atomtrack {

template <class T>
std::unique_ptr<CompiledFeatures<T>> CpuPrimitives<T>::compile(const FeatureProgram<T>& program) {
#ifdef ATOMTRACK_WITH_ONEDNN
  if constexpr (std::is_same_v<T, float>) return cpu::compile_with_onednn(program);
#endif
  checks::full_precision(program.precision, name());
  return std::make_unique<InterpretedFeatures<T>>(*this, program);
}

template <class T>
Primitives<T>& cpu_primitives() {
  static CpuPrimitives<T> instance;
  return instance;
}

template std::unique_ptr<CompiledFeatures<float>> CpuPrimitives<float>::compile(
    const FeatureProgram<float>&);
template std::unique_ptr<CompiledFeatures<double>> CpuPrimitives<double>::compile(
    const FeatureProgram<double>&);
template Primitives<float>& cpu_primitives<float>();
template Primitives<double>& cpu_primitives<double>();

}  // namespace atomtrack
