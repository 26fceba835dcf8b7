// SPDX-License-Identifier: MIT
#include "atomtrack/autodiff/pooling.hpp"

namespace atomtrack {
namespace {

template <class T>
Variable<T> scatter(const Variable<T>& x, const Tensor<std::int32_t>& indices, const Shape& shape);

/// The elements of x at flat `indices`; linear, and the adjoint of `scatter`.
template <class T>
Variable<T> gather(const Variable<T>& x, const Tensor<std::int32_t>& indices) {
  Tensor<T> result(indices.shape(), x.device());
  primitives_for<T>(x.device()).gather(x.value(), indices, result);
  return record(
      "gather", std::move(result),
      [indices, shape = x.shape()](std::size_t, const Variable<T>& g) {
        return scatter(g, indices, shape);
      },
      x);
}

template <class T>
Variable<T> scatter(const Variable<T>& x, const Tensor<std::int32_t>& indices, const Shape& shape) {
  Tensor<T> result(shape, x.device());
  primitives_for<T>(x.device()).scatter_add(x.value(), indices, Write::overwrite, result);
  return record(
      "scatter", std::move(result),
      [indices](std::size_t, const Variable<T>& g) { return gather(g, indices); }, x);
}

template <class T>
Variable<T> average_pool2d_adjoint(const Variable<T>& gy, Pool2dGeometry geometry,
                                   const Shape& x_shape) {
  Tensor<T> gx(x_shape, gy.device());
  primitives_for<T>(gy.device()).average_pool2d_adjoint(gy.value(), geometry, Write::overwrite, gx);
  return record(
      "average_pool2d_adjoint", std::move(gx),
      [geometry](std::size_t, const Variable<T>& g) { return average_pool2d(g, geometry); }, gy);
}

}  // namespace

template <class T>
Variable<T> max_pool2d(const Variable<T>& x, Pool2dGeometry geometry) {
  const Shape shape = pool2d_shape(x.shape(), geometry);
  Tensor<T> y(shape, x.device());
  Tensor<std::int32_t> indices(shape, x.device());
  primitives_for<T>(x.device()).max_pool2d(x.value(), geometry, y, indices);
  return record(
      "max_pool2d", std::move(y),
      [indices, from = x.shape()](std::size_t, const Variable<T>& g) {
        return scatter(g, indices, from);
      },
      x);
}

template <class T>
Variable<T> average_pool2d(const Variable<T>& x, Pool2dGeometry geometry) {
  Tensor<T> y(pool2d_shape(x.shape(), geometry), x.device());
  primitives_for<T>(x.device()).average_pool2d(x.value(), geometry, y);
  return record(
      "average_pool2d", std::move(y),
      [geometry, from = x.shape()](std::size_t, const Variable<T>& g) {
        return average_pool2d_adjoint(g, geometry, from);
      },
      x);
}

template Variable<float> max_pool2d(const Variable<float>&, Pool2dGeometry);
template Variable<double> max_pool2d(const Variable<double>&, Pool2dGeometry);
template Variable<float> average_pool2d(const Variable<float>&, Pool2dGeometry);
template Variable<double> average_pool2d(const Variable<double>&, Pool2dGeometry);

}  // namespace atomtrack
