// SPDX-License-Identifier: MIT
#include "atomtrack/autodiff/prroi_pool.hpp"

namespace atomtrack {
namespace {

// With F the features, B the rois, g a gradient of the pooled values and V a change of the rois:
//   P(F, B)       pooling                          adjoint(g, B)        its adjoint in F
//   G(F, B, g)    = d<g, P(F, B)> / dB             Q(F, B; V)           = derivative of P along V,
//   <g, Q> = <V, G> Q*(g, B; V)   = adjoint of Q in F              S(F, B, g; V)        = d<g, Q(F,
//   B; V)> / dB
// All are linear in F, g and V. Each is differentiable in all its arguments but S: that would be
// the third derivative in the box.

template <class T>
using Roi = const Variable<T>&;

template <class T>
Variable<T> adjoint(const Variable<T>& g, Roi<T> rois, PrRoiGeometry geometry,
                    const Shape& features);
template <class T>
Variable<T> roi_gradient(const Variable<T>& features, Roi<T> rois, const Variable<T>& g,
                         PrRoiGeometry geometry);
template <class T>
Variable<T> tangent_pool(const Variable<T>& features, Roi<T> rois, const Variable<T>& v,
                         PrRoiGeometry geometry);
template <class T>
Variable<T> tangent_adjoint(const Variable<T>& g, Roi<T> rois, const Variable<T>& v,
                            PrRoiGeometry geometry, const Shape& features);
template <class T>
Variable<T> tangent_roi_gradient(const Variable<T>& features, Roi<T> rois, const Variable<T>& v,
                                 const Variable<T>& g, PrRoiGeometry geometry);

[[noreturn]] void no_third_derivative() {
  throw Error("prroi_pool: no third derivative with respect to the box");
}

// d<a, adjoint(g, B)> = <P(a, B), g>: in g it is P(a, B), in B it is G(a, B, g).
template <class T>
Variable<T> adjoint(const Variable<T>& g, Roi<T> rois, PrRoiGeometry geometry,
                    const Shape& features) {
  Tensor<T> result(features, g.device());
  primitives_for<T>(g.device())
      .prroi_pool_adjoint(g.value(), rois.value(), geometry, Write::overwrite, result);
  return record(
      "prroi_pool_adjoint", std::move(result),
      [g, rois, geometry](std::size_t input, const Variable<T>& a) {
        return input == 0 ? prroi_pool(a, rois, geometry) : roi_gradient(a, rois, g, geometry);
      },
      g, rois);
}

// <v, G(F, B, g)> = <g, Q(F, B; v)>: in F it is Q*(g, B; v), in B it is S(F, B, g; v), in g it is
// Q(F, B; v).
template <class T>
Variable<T> roi_gradient(const Variable<T>& features, Roi<T> rois, const Variable<T>& g,
                         PrRoiGeometry geometry) {
  Tensor<T> result(rois.shape(), g.device());
  primitives_for<T>(g.device())
      .prroi_pool_roi_gradient(features.value(), rois.value(), g.value(), geometry, result);
  return record(
      "prroi_pool_roi_gradient", std::move(result),
      [features, rois, g, geometry](std::size_t input, const Variable<T>& v) {
        if (input == 0) return tangent_adjoint(g, rois, v, geometry, features.shape());
        if (input == 1) return tangent_roi_gradient(features, rois, v, g, geometry);
        return tangent_pool(features, rois, v, geometry);
      },
      features, rois, g);
}

// <g, Q(F, B; v)>: in F it is Q*(g, B; v), in B it is S, in v it is G(F, B, g).
template <class T>
Variable<T> tangent_pool(const Variable<T>& features, Roi<T> rois, const Variable<T>& v,
                         PrRoiGeometry geometry) {
  Tensor<T> result(prroi_pool_shape(features.shape(), rois.shape(), geometry), v.device());
  primitives_for<T>(v.device())
      .prroi_pool_tangent(features.value(), rois.value(), v.value(), geometry, result);
  return record(
      "prroi_pool_tangent", std::move(result),
      [features, rois, v, geometry](std::size_t input, const Variable<T>& g) {
        if (input == 0) return tangent_adjoint(g, rois, v, geometry, features.shape());
        if (input == 1) return tangent_roi_gradient(features, rois, v, g, geometry);
        return roi_gradient(features, rois, g, geometry);
      },
      features, rois, v);
}

// <a, Q*(g, B; v)> = <g, Q(a, B; v)>: in g it is Q(a, B; v), in B it is S(a, B, g; v), in v it is
// G(a, B, g).
template <class T>
Variable<T> tangent_adjoint(const Variable<T>& g, Roi<T> rois, const Variable<T>& v,
                            PrRoiGeometry geometry, const Shape& features) {
  Tensor<T> result(features, v.device());
  primitives_for<T>(v.device())
      .prroi_pool_tangent_adjoint(g.value(), rois.value(), v.value(), geometry, Write::overwrite,
                                  result);
  return record(
      "prroi_pool_tangent_adjoint", std::move(result),
      [g, rois, v, geometry](std::size_t input, const Variable<T>& a) {
        if (input == 0) return tangent_pool(a, rois, v, geometry);
        if (input == 1) return tangent_roi_gradient(a, rois, v, g, geometry);
        return roi_gradient(a, rois, g, geometry);
      },
      g, rois, v);
}

template <class T>
Variable<T> tangent_roi_gradient(const Variable<T>& features, Roi<T> rois, const Variable<T>& v,
                                 const Variable<T>& g, PrRoiGeometry geometry) {
  Tensor<T> result(rois.shape(), v.device());
  primitives_for<T>(v.device())
      .prroi_pool_tangent_roi_gradient(features.value(), rois.value(), v.value(), g.value(),
                                       geometry, result);
  return record(
      "prroi_pool_tangent_roi_gradient", std::move(result),
      [](std::size_t, const Variable<T>&) -> Variable<T> { no_third_derivative(); }, features, rois,
      v, g);
}

}  // namespace

template <class T>
Variable<T> prroi_pool(const Variable<T>& features, const Variable<T>& rois,
                       PrRoiGeometry geometry) {
  Tensor<T> result(prroi_pool_shape(features.shape(), rois.shape(), geometry), features.device());
  primitives_for<T>(features.device()).prroi_pool(features.value(), rois.value(), geometry, result);
  return record(
      "prroi_pool", std::move(result),
      [features, rois, geometry](std::size_t input, const Variable<T>& g) {
        return input == 0 ? adjoint(g, rois, geometry, features.shape())
                          : roi_gradient(features, rois, g, geometry);
      },
      features, rois);
}

template Variable<float> prroi_pool(const Variable<float>&, const Variable<float>&, PrRoiGeometry);
template Variable<double> prroi_pool(const Variable<double>&, const Variable<double>&,
                                     PrRoiGeometry);

}  // namespace atomtrack
