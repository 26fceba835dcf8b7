// SPDX-License-Identifier: MIT
#include "atomtrack/autodiff/convolution.hpp"

#include "atomtrack/autodiff/layout.hpp"

namespace atomtrack {

// y = C(x, w), gx = D(gy, w) and gw = F(gy, x) are three views of one trilinear form <gy, C(x, w)>:
// each is linear in both arguments, and the adjoint of each in either argument is one of the other
// two.

template <class T>
Variable<T> conv2d(const Variable<T>& x, const Variable<T>& w, Conv2dGeometry geometry) {
  Tensor<T> y(conv2d_shape(x.shape(), w.shape(), geometry), x.device());
  primitives_for<T>(x.device()).conv2d(x.value(), w.value(), geometry, y);
  return record(
      "conv2d", std::move(y),
      [x, w, geometry](std::size_t input, const Variable<T>& g) {
        return input == 0 ? conv2d_data_adjoint(g, w, geometry, x.shape())
                          : conv2d_filter_adjoint(g, x, geometry, w.shape());
      },
      x, w);
}

template <class T>
Variable<T> conv2d_data_adjoint(const Variable<T>& gy, const Variable<T>& w,
                                Conv2dGeometry geometry, const Shape& x_shape) {
  Tensor<T> gx(x_shape, gy.device());
  primitives_for<T>(gy.device())
      .conv2d_data_adjoint(gy.value(), w.value(), geometry, Write::overwrite, gx);
  return record(
      "conv2d_data_adjoint", std::move(gx),
      [gy, w, geometry](std::size_t input, const Variable<T>& g) {
        return input == 0 ? conv2d(g, w, geometry)
                          : conv2d_filter_adjoint(gy, g, geometry, w.shape());
      },
      gy, w);
}

template <class T>
Variable<T> conv2d_filter_adjoint(const Variable<T>& gy, const Variable<T>& x,
                                  Conv2dGeometry geometry, const Shape& w_shape) {
  Tensor<T> gw(w_shape, gy.device());
  primitives_for<T>(gy.device())
      .conv2d_filter_adjoint(gy.value(), x.value(), geometry, Write::overwrite, gw);
  return record(
      "conv2d_filter_adjoint", std::move(gw),
      [gy, x, geometry](std::size_t input, const Variable<T>& g) {
        return input == 0 ? conv2d(x, g, geometry)
                          : conv2d_data_adjoint(gy, g, geometry, x.shape());
      },
      gy, x);
}

template <class T>
Variable<T> conv2d_same(const Variable<T>& x, const Variable<T>& w) {
  const std::int64_t side = w.extent(-1);
  require<ShapeError>(w.shape().rank() == 4 && w.extent(-2) == side, "conv2d_same: filter ",
                      w.shape(), ": expected [Cout,Cin,k,k]");
  const Variable<T> y = conv2d(x, w, {1, static_cast<int>(side / 2)});
  if (side % 2 != 0) return y;
  return slice(slice(y, 2, 0, x.extent(2)), 3, 0, x.extent(3));
}

template Variable<float> conv2d_data_adjoint(const Variable<float>&, const Variable<float>&,
                                             Conv2dGeometry, const Shape&);
template Variable<double> conv2d_data_adjoint(const Variable<double>&, const Variable<double>&,
                                              Conv2dGeometry, const Shape&);
template Variable<float> conv2d_filter_adjoint(const Variable<float>&, const Variable<float>&,
                                               Conv2dGeometry, const Shape&);
template Variable<double> conv2d_filter_adjoint(const Variable<double>&, const Variable<double>&,
                                                Conv2dGeometry, const Shape&);
template Variable<float> conv2d_same(const Variable<float>&, const Variable<float>&);
template Variable<double> conv2d_same(const Variable<double>&, const Variable<double>&);

}  // namespace atomtrack
