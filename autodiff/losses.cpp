// SPDX-License-Identifier: MIT
#include "atomtrack/autodiff/losses.hpp"

#include "atomtrack/autodiff/elementwise.hpp"
#include "atomtrack/autodiff/reductions.hpp"

namespace atomtrack {

template <class T>
Variable<T> mean_squared_error(const Variable<T>& prediction, const Variable<T>& target) {
  require<ShapeError>(prediction.shape() == target.shape(), "mean_squared_error: shapes ",
                      prediction.shape(), " and ", target.shape(), ": expected one shape");
  return mean(square(prediction - target));
}

template <class T>
Variable<T> dropout(const Variable<T>& x, const Variable<T>& mask) {
  require<ShapeError>(broadcast_shape(x.shape(), mask.shape()) == x.shape(), "dropout: a mask of ",
                      mask.shape(), " for ", x.shape());
  return x * mask;
}

template Variable<float> mean_squared_error(const Variable<float>&, const Variable<float>&);
template Variable<double> mean_squared_error(const Variable<double>&, const Variable<double>&);
template Variable<float> dropout(const Variable<float>&, const Variable<float>&);
template Variable<double> dropout(const Variable<double>&, const Variable<double>&);

}  // namespace atomtrack
