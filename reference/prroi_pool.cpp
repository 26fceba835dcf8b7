// SPDX-License-Identifier: MIT
#include "atomtrack/primitives/checks.hpp"
#include "atomtrack/primitives/scalar/prroi_weights.hpp"
#include "reference/reference_primitives.hpp"

namespace atomtrack {
namespace {

using scalar::PrRoiBin;
using scalar::PrRoiGradient;

/// One term of the double sum over cells: bin (p, q) of roi k meets cell (i, j).
template <class T>
struct Term {
  std::int64_t roi;
  std::int64_t p, q, i, j;
  PrRoiBin<T> y, x;
};

/// Calls f(term) for every term of every roi that has an area.
template <class T, class F>
void for_each_term(const Tensor<T>& rois, const Shape& features, PrRoiGeometry geometry, F f) {
  const T scale = static_cast<T>(geometry.spatial_scale);
  for (std::int64_t k = 0; k < rois.extent(0); ++k) {
    const T* roi = rois.data() + 5 * k;
    const T x0 = roi[1] * scale, y0 = roi[2] * scale, x1 = roi[3] * scale, y1 = roi[4] * scale;
    if (!scalar::prroi_has_area(x0, y0, x1, y1)) continue;
    for (std::int64_t p = 0; p < geometry.pooled_height; ++p) {
      for (std::int64_t q = 0; q < geometry.pooled_width; ++q) {
        const PrRoiBin<T> y = scalar::prroi_bin(y0, y1, p, geometry.pooled_height);
        const PrRoiBin<T> x = scalar::prroi_bin(x0, x1, q, geometry.pooled_width);
        for (std::int64_t i = scalar::prroi_first_cell(y, features[2]);
             i < scalar::prroi_end_cell(y, features[2]); ++i) {
          for (std::int64_t j = scalar::prroi_first_cell(x, features[3]);
               j < scalar::prroi_end_cell(x, features[3]); ++j) {
            f(Term<T>{k, p, q, i, j, y, x});
          }
        }
      }
    }
  }
}

/// Calls f(pooled index, feature index) for every channel of a term.
template <class T, class F>
void for_each_channel(const Term<T>& term, const Tensor<T>& rois, const Shape& features,
                      PrRoiGeometry geometry, F f) {
  const auto image = static_cast<std::int64_t>(rois.data()[5 * term.roi]);
  for (std::int64_t c = 0; c < features[1]; ++c) {
    f(((term.roi * features[1] + c) * geometry.pooled_height + term.p) * geometry.pooled_width +
          term.q,
      ((image * features[1] + c) * features[2] + term.i) * features[3] + term.j);
  }
}

/// a_y a_x.
template <class T>
T weight(const Term<T>& term) {
  return scalar::prroi_weight(term.y, term.i) * scalar::prroi_weight(term.x, term.j);
}

/// The change of the roi's ends along each axis, in map cells, from row k of a tangent.
template <class T>
PrRoiGradient<T> tangent_y(const Tensor<T>& tangent, std::int64_t k, PrRoiGeometry geometry) {
  const T scale = static_cast<T>(geometry.spatial_scale);
  return {tangent.data()[5 * k + 2] * scale, tangent.data()[5 * k + 4] * scale};
}
template <class T>
PrRoiGradient<T> tangent_x(const Tensor<T>& tangent, std::int64_t k, PrRoiGeometry geometry) {
  const T scale = static_cast<T>(geometry.spatial_scale);
  return {tangent.data()[5 * k + 1] * scale, tangent.data()[5 * k + 3] * scale};
}

/// The derivative of a_y a_x along a tangent: a_y' a_x + a_y a_x'.
template <class T>
T weight_tangent(const Term<T>& term, const Tensor<T>& tangent, PrRoiGeometry geometry) {
  return scalar::prroi_weight_tangent(term.y, term.i, tangent_y(tangent, term.roi, geometry)) *
             scalar::prroi_weight(term.x, term.j) +
         scalar::prroi_weight(term.y, term.i) *
             scalar::prroi_weight_tangent(term.x, term.j, tangent_x(tangent, term.roi, geometry));
}

/// Adds factor * (gradients of the two axes) to row k of the roi gradient, back in image pixels.
template <class T>
void add_roi_gradient(Tensor<T>& grad_rois, std::int64_t k, T factor, PrRoiGradient<T> y,
                      PrRoiGradient<T> x, PrRoiGeometry geometry) {
  const T scaled = factor * static_cast<T>(geometry.spatial_scale);
  T* row = grad_rois.data() + 5 * k;
  row[1] += scaled * x.start;
  row[2] += scaled * y.start;
  row[3] += scaled * x.end;
  row[4] += scaled * y.end;
}

template <class T>
PrRoiGradient<T> times(PrRoiGradient<T> gradient, T factor) {
  return {gradient.start * factor, gradient.end * factor};
}
template <class T>
PrRoiGradient<T> plus(PrRoiGradient<T> a, PrRoiGradient<T> b) {
  return {a.start + b.start, a.end + b.end};
}

}  // namespace

template <class T>
void ReferencePrimitives<T>::prroi_pool(const Tensor<T>& features, const Tensor<T>& rois,
                                        PrRoiGeometry geometry, Tensor<T>& pooled) {
  checks::prroi_pool(features.shape(), rois.shape(), geometry, pooled.shape());
  checks::roi_batch_indices(rois, features.extent(0));
  this->fill(T{0}, pooled);
  for_each_term(rois, features.shape(), geometry, [&](const Term<T>& term) {
    for_each_channel(term, rois, features.shape(), geometry, [&](auto out, auto in) {
      pooled.data()[out] += weight(term) * features.data()[in];
    });
  });
}

template <class T>
void ReferencePrimitives<T>::prroi_pool_adjoint(const Tensor<T>& grad_pooled, const Tensor<T>& rois,
                                                PrRoiGeometry geometry, Write write,
                                                Tensor<T>& grad_features) {
  checks::prroi_pool(grad_features.shape(), rois.shape(), geometry, grad_pooled.shape());
  checks::roi_batch_indices(rois, grad_features.extent(0));
  if (write == Write::overwrite) this->fill(T{0}, grad_features);
  for_each_term(rois, grad_features.shape(), geometry, [&](const Term<T>& term) {
    for_each_channel(term, rois, grad_features.shape(), geometry, [&](auto out, auto in) {
      grad_features.data()[in] += weight(term) * grad_pooled.data()[out];
    });
  });
}

template <class T>
void ReferencePrimitives<T>::prroi_pool_roi_gradient(const Tensor<T>& features,
                                                     const Tensor<T>& rois,
                                                     const Tensor<T>& grad_pooled,
                                                     PrRoiGeometry geometry, Tensor<T>& grad_rois) {
  checks::prroi_pool(features.shape(), rois.shape(), geometry, grad_pooled.shape());
  checks::same_shape("prroi_pool_roi_gradient", rois.shape(), grad_rois.shape());
  checks::roi_batch_indices(rois, features.extent(0));
  this->fill(T{0}, grad_rois);
  for_each_term(rois, features.shape(), geometry, [&](const Term<T>& term) {
    T product{0};
    for_each_channel(term, rois, features.shape(), geometry, [&](auto out, auto in) {
      product += grad_pooled.data()[out] * features.data()[in];
    });
    const auto y =
        times(scalar::prroi_weight_gradient(term.y, term.i), scalar::prroi_weight(term.x, term.j));
    const auto x =
        times(scalar::prroi_weight_gradient(term.x, term.j), scalar::prroi_weight(term.y, term.i));
    add_roi_gradient(grad_rois, term.roi, product, y, x, geometry);
  });
}

template <class T>
void ReferencePrimitives<T>::prroi_pool_tangent(const Tensor<T>& features, const Tensor<T>& rois,
                                                const Tensor<T>& tangent, PrRoiGeometry geometry,
                                                Tensor<T>& pooled) {
  checks::prroi_pool(features.shape(), rois.shape(), geometry, pooled.shape());
  checks::same_shape("prroi_pool_tangent", rois.shape(), tangent.shape());
  checks::roi_batch_indices(rois, features.extent(0));
  this->fill(T{0}, pooled);
  for_each_term(rois, features.shape(), geometry, [&](const Term<T>& term) {
    for_each_channel(term, rois, features.shape(), geometry, [&](auto out, auto in) {
      pooled.data()[out] += weight_tangent(term, tangent, geometry) * features.data()[in];
    });
  });
}

template <class T>
void ReferencePrimitives<T>::prroi_pool_tangent_adjoint(const Tensor<T>& grad_pooled,
                                                        const Tensor<T>& rois,
                                                        const Tensor<T>& tangent,
                                                        PrRoiGeometry geometry, Write write,
                                                        Tensor<T>& grad_features) {
  checks::prroi_pool(grad_features.shape(), rois.shape(), geometry, grad_pooled.shape());
  checks::same_shape("prroi_pool_tangent_adjoint", rois.shape(), tangent.shape());
  checks::roi_batch_indices(rois, grad_features.extent(0));
  if (write == Write::overwrite) this->fill(T{0}, grad_features);
  for_each_term(rois, grad_features.shape(), geometry, [&](const Term<T>& term) {
    for_each_channel(term, rois, grad_features.shape(), geometry, [&](auto out, auto in) {
      grad_features.data()[in] += weight_tangent(term, tangent, geometry) * grad_pooled.data()[out];
    });
  });
}

template <class T>
void ReferencePrimitives<T>::prroi_pool_tangent_roi_gradient(
    const Tensor<T>& features, const Tensor<T>& rois, const Tensor<T>& tangent,
    const Tensor<T>& grad_pooled, PrRoiGeometry geometry, Tensor<T>& grad_rois) {
  checks::prroi_pool(features.shape(), rois.shape(), geometry, grad_pooled.shape());
  checks::same_shape("prroi_pool_tangent_roi_gradient", rois.shape(), tangent.shape());
  checks::same_shape("prroi_pool_tangent_roi_gradient", rois.shape(), grad_rois.shape());
  checks::roi_batch_indices(rois, features.extent(0));
  this->fill(T{0}, grad_rois);
  for_each_term(rois, features.shape(), geometry, [&](const Term<T>& term) {
    T product{0};
    for_each_channel(term, rois, features.shape(), geometry, [&](auto out, auto in) {
      product += grad_pooled.data()[out] * features.data()[in];
    });
    // The gradient of a_y' a_x + a_y a_x', axis by axis.
    const PrRoiGradient<T> v_y = tangent_y(tangent, term.roi, geometry);
    const PrRoiGradient<T> v_x = tangent_x(tangent, term.roi, geometry);
    const auto y = plus(times(scalar::prroi_weight_tangent_gradient(term.y, term.i, v_y),
                              scalar::prroi_weight(term.x, term.j)),
                        times(scalar::prroi_weight_gradient(term.y, term.i),
                              scalar::prroi_weight_tangent(term.x, term.j, v_x)));
    const auto x = plus(times(scalar::prroi_weight_tangent_gradient(term.x, term.j, v_x),
                              scalar::prroi_weight(term.y, term.i)),
                        times(scalar::prroi_weight_gradient(term.x, term.j),
                              scalar::prroi_weight_tangent(term.y, term.i, v_y)));
    add_roi_gradient(grad_rois, term.roi, product, y, x, geometry);
  });
}

template class ReferencePrimitives<float>;
template class ReferencePrimitives<double>;

}  // namespace atomtrack
