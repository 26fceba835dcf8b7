// SPDX-License-Identifier: MIT
#include "reference/reference_primitives.hpp"

#include "atomtrack/primitives/backends.hpp"
#include "atomtrack/primitives/checks.hpp"
#include "atomtrack/primitives/interpreted_features.hpp"

namespace atomtrack {

template <class T>
std::unique_ptr<CompiledFeatures<T>> ReferencePrimitives<T>::compile(
    const FeatureProgram<T>& program) {
  checks::full_precision(program.precision, name());
  return std::make_unique<InterpretedFeatures<T>>(*this, program);
}

template <class T>
Primitives<T>& reference_primitives() {
  static ReferencePrimitives<T> instance;
  return instance;
}

template std::unique_ptr<CompiledFeatures<float>> ReferencePrimitives<float>::compile(
    const FeatureProgram<float>&);
template std::unique_ptr<CompiledFeatures<double>> ReferencePrimitives<double>::compile(
    const FeatureProgram<double>&);
template Primitives<float>& reference_primitives<float>();
template Primitives<double>& reference_primitives<double>();

}  // namespace atomtrack
