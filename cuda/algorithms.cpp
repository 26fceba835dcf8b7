// SPDX-License-Identifier: MIT
#include "cuda/algorithms.hpp"

#include <array>
#include <map>
#include <span>
#include <vector>

#include "atomtrack/tensor/error.hpp"

namespace atomtrack::cuda {
namespace {

using Key = std::array<std::int64_t, 12>;

template <class T>
Key key_of(const Context& context, const Convolution<T>& of) {
  Key key{context.device().index, of.geometry.stride, of.geometry.padding,
          static_cast<std::int64_t>(of.geometry.precision)};
  for (std::size_t i = 0; i < 4; ++i) {
    key[4 + i] = of.x_shape.begin()[i];
    key[8 + i] = of.w_shape.begin()[i];
  }
  return key;
}

/// Whether an algorithm that multiplies so is at least as exact as what was asked for.
template <class T>
bool exact_enough(cudnnMathType_t math, Precision precision) {
  return std::is_same_v<T, double> || math == CUDNN_FMA_MATH || math == CUDNN_DEFAULT_MATH ||
         math == math_of(precision) || precision == Precision::half;
}

/// The first of cuDNN's proposals that keeps our rules.
template <class Algorithm, class T, class Proposals>
Choice<Algorithm> first_fitting(const Convolution<T>& of, const Proposals& proposals, int count,
                                const char* what) {
  for (const auto& proposal : std::span(proposals).first(static_cast<std::size_t>(count))) {
    if (proposal.status == CUDNN_STATUS_SUCCESS &&
        exact_enough<T>(proposal.mathType, of.geometry.precision) &&
        proposal.determinism == CUDNN_DETERMINISTIC && proposal.memory <= workspace_limit)
      return {proposal.algo, proposal.memory};
  }
  throw DeviceError(
      concatenate(what, ": cuDNN has no deterministic algorithm of enough precision for it"));
}

/// The choice for a problem, made by `ask` the first time.
template <class Algorithm, class T, class Ask>
Choice<Algorithm> remembered(Context& context, const Convolution<T>& of, Ask ask) {
  thread_local std::map<Key, Choice<Algorithm>> choices;
  const Key key = key_of(context, of);
  const auto found = choices.find(key);
  return found != choices.end() ? found->second : choices.emplace(key, ask()).first->second;
}

}  // namespace

template <class T>
Convolution<T>::Convolution(const Shape& x_of, const Shape& w_of, const Shape& y_of,
                            Conv2dGeometry of)
    : x_shape(x_of),
      w_shape(w_of),
      geometry(of),
      x(describe_tensor<T>(x_of)),
      y(describe_tensor<T>(y_of)),
      w(describe_filter<T>(w_of)),
      operation(describe_convolution<T>(of)) {}

template <class T>
Choice<cudnnConvolutionFwdAlgo_t> choose_forward(Context& context, const Convolution<T>& of) {
  return remembered<cudnnConvolutionFwdAlgo_t>(context, of, [&] {
    std::array<cudnnConvolutionFwdAlgoPerf_t, CUDNN_CONVOLUTION_FWD_ALGO_COUNT> proposals;
    int count = 0;
    check(cudnnGetConvolutionForwardAlgorithm_v7(
              context.cudnn(), of.x.get(), of.w.get(), of.operation.get(), of.y.get(),
              static_cast<int>(proposals.size()), &count, proposals.data()),
          "cudnnGetConvolutionForwardAlgorithm_v7");
    return first_fitting<cudnnConvolutionFwdAlgo_t>(of, proposals, count, "conv2d");
  });
}

template <class T>
Choice<cudnnConvolutionBwdDataAlgo_t> choose_data(Context& context, const Convolution<T>& of) {
  return remembered<cudnnConvolutionBwdDataAlgo_t>(context, of, [&] {
    std::array<cudnnConvolutionBwdDataAlgoPerf_t, CUDNN_CONVOLUTION_BWD_DATA_ALGO_COUNT> proposals;
    int count = 0;
    check(cudnnGetConvolutionBackwardDataAlgorithm_v7(
              context.cudnn(), of.w.get(), of.y.get(), of.operation.get(), of.x.get(),
              static_cast<int>(proposals.size()), &count, proposals.data()),
          "cudnnGetConvolutionBackwardDataAlgorithm_v7");
    return first_fitting<cudnnConvolutionBwdDataAlgo_t>(of, proposals, count,
                                                        "conv2d_data_adjoint");
  });
}

template <class T>
Choice<cudnnConvolutionBwdFilterAlgo_t> choose_filter(Context& context, const Convolution<T>& of) {
  return remembered<cudnnConvolutionBwdFilterAlgo_t>(context, of, [&] {
    std::array<cudnnConvolutionBwdFilterAlgoPerf_t, CUDNN_CONVOLUTION_BWD_FILTER_ALGO_COUNT>
        proposals;
    int count = 0;
    check(cudnnGetConvolutionBackwardFilterAlgorithm_v7(
              context.cudnn(), of.x.get(), of.y.get(), of.operation.get(), of.w.get(),
              static_cast<int>(proposals.size()), &count, proposals.data()),
          "cudnnGetConvolutionBackwardFilterAlgorithm_v7");
    return first_fitting<cudnnConvolutionBwdFilterAlgo_t>(of, proposals, count,
                                                          "conv2d_filter_adjoint");
  });
}

template struct Convolution<float>;
template struct Convolution<double>;
template Choice<cudnnConvolutionFwdAlgo_t> choose_forward(Context&, const Convolution<float>&);
template Choice<cudnnConvolutionFwdAlgo_t> choose_forward(Context&, const Convolution<double>&);
template Choice<cudnnConvolutionBwdDataAlgo_t> choose_data(Context&, const Convolution<float>&);
template Choice<cudnnConvolutionBwdDataAlgo_t> choose_data(Context&, const Convolution<double>&);
template Choice<cudnnConvolutionBwdFilterAlgo_t> choose_filter(Context&, const Convolution<float>&);
template Choice<cudnnConvolutionBwdFilterAlgo_t> choose_filter(Context&,
                                                               const Convolution<double>&);

}  // namespace atomtrack::cuda
