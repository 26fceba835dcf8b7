// SPDX-License-Identifier: MIT
#include "atomtrack/primitives/checks.hpp"
#include "cuda/algorithms.hpp"
#include "cuda/cuda_primitives.hpp"
#include "cuda/workspace.hpp"

namespace atomtrack {

template <class T>
void CudaPrimitives<T>::conv2d(const Tensor<T>& x, const Tensor<T>& w, Conv2dGeometry geometry,
                               Tensor<T>& y) {
  checks::conv2d(x.shape(), w.shape(), geometry, y.shape());
  cuda::require_offered<T>(geometry.precision);
  if (y.numel() == 0) return;
  if (x.numel() == 0) return fill(T{0}, y);
  const cuda::Convolution<T> of(x.shape(), w.shape(), y.shape(), geometry);
  const auto choice = cuda::choose_forward(context(), of);
  const cuda::Workspace scratch(device(), choice.workspace);
  const T one{1}, zero{0};
  cuda::check(cudnnConvolutionForward(context().cudnn(), &one, of.x.get(), x.data(), of.w.get(),
                                      w.data(), of.operation.get(), choice.algorithm,
                                      scratch.data(), scratch.bytes, &zero, of.y.get(), y.data()),
              "cudnnConvolutionForward");
}

template <class T>
void CudaPrimitives<T>::conv2d_data_adjoint(const Tensor<T>& gy, const Tensor<T>& w,
                                            Conv2dGeometry geometry, Write write, Tensor<T>& gx) {
  checks::conv2d(gx.shape(), w.shape(), geometry, gy.shape());
  cuda::require_offered<T>(geometry.precision);
  if (gx.numel() == 0) return;
  if (gy.numel() == 0) {
    if (write == Write::overwrite) fill(T{0}, gx);
    return;
  }
  const cuda::Convolution<T> of(gx.shape(), w.shape(), gy.shape(), geometry);
  const auto choice = cuda::choose_data(context(), of);
  const cuda::Workspace scratch(device(), choice.workspace);
  const T one{1}, keep = write == Write::accumulate ? T{1} : T{0};
  cuda::check(
      cudnnConvolutionBackwardData(context().cudnn(), &one, of.w.get(), w.data(), of.y.get(),
                                   gy.data(), of.operation.get(), choice.algorithm, scratch.data(),
                                   scratch.bytes, &keep, of.x.get(), gx.data()),
      "cudnnConvolutionBackwardData");
}

template <class T>
void CudaPrimitives<T>::conv2d_filter_adjoint(const Tensor<T>& gy, const Tensor<T>& x,
                                              Conv2dGeometry geometry, Write write, Tensor<T>& gw) {
  checks::conv2d(x.shape(), gw.shape(), geometry, gy.shape());
  cuda::require_offered<T>(geometry.precision);
  if (gw.numel() == 0) return;
  if (gy.numel() == 0) {
    if (write == Write::overwrite) fill(T{0}, gw);
    return;
  }
  const cuda::Convolution<T> of(x.shape(), gw.shape(), gy.shape(), geometry);
  const auto choice = cuda::choose_filter(context(), of);
  const cuda::Workspace scratch(device(), choice.workspace);
  const T one{1}, keep = write == Write::accumulate ? T{1} : T{0};
  cuda::check(
      cudnnConvolutionBackwardFilter(context().cudnn(), &one, of.x.get(), x.data(), of.y.get(),
                                     gy.data(), of.operation.get(), choice.algorithm,
                                     scratch.data(), scratch.bytes, &keep, of.w.get(), gw.data()),
      "cudnnConvolutionBackwardFilter");
}

template class CudaPrimitives<float>;
template class CudaPrimitives<double>;

}  // namespace atomtrack
