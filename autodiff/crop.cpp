// SPDX-License-Identifier: MIT
#include "atomtrack/autodiff/crop.hpp"

namespace atomtrack {
namespace {

template <class T>
Variable<T> crop_resize_adjoint(const Variable<T>& g, const std::vector<CropWindow>& windows,
                                const Shape& image) {
  Tensor<T> result(image, g.device());
  primitives_for<T>(g.device()).crop_resize_adjoint(g.value(), windows, Write::overwrite, result);
  return record(
      "crop_resize_adjoint", std::move(result),
      [windows, height = g.extent(2), width = g.extent(3)](std::size_t, const Variable<T>& a) {
        return crop_resize(a, windows, height, width);
      },
      g);
}

}  // namespace

template <class T>
Variable<T> crop_resize(const Variable<T>& image, const std::vector<CropWindow>& windows,
                        std::int64_t height, std::int64_t width) {
  require<ShapeError>(image.shape().rank() == 4, "crop_resize of ", image.shape(),
                      ": expected [N,C,H,W]");
  Tensor<T> result(Shape{image.extent(0), image.extent(1), height, width}, image.device());
  primitives_for<T>(image.device()).crop_resize(image.value(), windows, result);
  return record(
      "crop_resize", std::move(result),
      [windows, from = image.shape()](std::size_t, const Variable<T>& g) {
        return crop_resize_adjoint(g, windows, from);
      },
      image);
}

template Variable<float> crop_resize(const Variable<float>&, const std::vector<CropWindow>&,
                                     std::int64_t, std::int64_t);
template Variable<double> crop_resize(const Variable<double>&, const std::vector<CropWindow>&,
                                      std::int64_t, std::int64_t);

}  // namespace atomtrack
