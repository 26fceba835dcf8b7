// SPDX-License-Identifier: MIT
#include "atomtrack/primitives/primitives.hpp"

#include "atomtrack/primitives/backends.hpp"

namespace atomtrack {

template <class T>
Primitives<T>& primitives_for(Device device) {
  switch (device.type) {
    case DeviceType::cpu:
      return cpu_primitives<T>();
    case DeviceType::reference:
      return reference_primitives<T>();
    case DeviceType::cuda:
#ifdef ATOMTRACK_WITH_CUDA
      return cuda_primitives<T>(device.index);
#else
      break;
#endif
  }
  throw DeviceError(
      concatenate("device ", device, ": this build of atomtrack has no CUDA backend"));
}

template Primitives<float>& primitives_for<float>(Device);
template Primitives<double>& primitives_for<double>(Device);

}  // namespace atomtrack
