// SPDX-License-Identifier: MIT
#include "cuda/cuda_primitives.hpp"

#include <map>
#include <memory>
#include <mutex>

#include "atomtrack/primitives/backends.hpp"
#include "cuda/fused_features.hpp"
#include "cuda/memory.hpp"

namespace atomtrack {

template <class T>
std::unique_ptr<CompiledFeatures<T>> CudaPrimitives<T>::compile(const FeatureProgram<T>& program) {
  return std::make_unique<cuda::FusedFeatures<T>>(*this, program, index_);
}

template <class T>
Primitives<T>& cuda_primitives(int index) {
  static std::mutex mutex;
  static auto* instances = new std::map<int, std::unique_ptr<CudaPrimitives<T>>>;
  const std::lock_guard lock(mutex);
  std::unique_ptr<CudaPrimitives<T>>& instance = (*instances)[index];
  if (instance == nullptr) {
    cuda::serve_memory(index);
    instance = std::make_unique<CudaPrimitives<T>>(index);
  }
  return *instance;
}

template class CudaPrimitives<float>;
template class CudaPrimitives<double>;
template Primitives<float>& cuda_primitives<float>(int);
template Primitives<double>& cuda_primitives<double>(int);

}  // namespace atomtrack
