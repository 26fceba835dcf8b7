// SPDX-License-Identifier: MIT
#include <type_traits>

#include "atomtrack/primitives/checks.hpp"
#include "cuda/cuda_primitives.hpp"

namespace atomtrack {

// cuBLAS stores matrices by columns: its a^T is our row-major a. So c^T = op(b)^T op(a)^T is asked
// for, with the operands exchanged and their flags kept.
template <class T>
void CudaPrimitives<T>::gemm(bool transpose_a, bool transpose_b, const Tensor<T>& a,
                             const Tensor<T>& b, Write write, Tensor<T>& c) {
  const std::int64_t inner =
      checks::gemm(transpose_a, transpose_b, a.shape(), b.shape(), c.shape());
  if (c.numel() == 0) return;
  if (inner == 0) {
    if (write == Write::overwrite) device_memory(device()).set_zero(c.data(), c.bytes());
    return;
  }
  const auto narrow = [](std::int64_t extent) { return static_cast<int>(extent); };
  const int m = narrow(c.extent(1)), n = narrow(c.extent(0)), k = narrow(inner);
  const int step_a = narrow(a.extent(1)), step_b = narrow(b.extent(1));
  const auto flag = [](bool transpose) { return transpose ? CUBLAS_OP_T : CUBLAS_OP_N; };
  const T one{1};
  const T keep = write == Write::accumulate ? T{1} : T{0};
  cublasHandle_t handle = context().cublas();
  if constexpr (std::is_same_v<T, float>) {
    cuda::check(cublasSgemm(handle, flag(transpose_b), flag(transpose_a), m, n, k, &one, b.data(),
                            step_b, a.data(), step_a, &keep, c.data(), m),
                "cublasSgemm");
  } else {
    cuda::check(cublasDgemm(handle, flag(transpose_b), flag(transpose_a), m, n, k, &one, b.data(),
                            step_b, a.data(), step_a, &keep, c.data(), m),
                "cublasDgemm");
  }
}

template class CudaPrimitives<float>;
template class CudaPrimitives<double>;

}  // namespace atomtrack
