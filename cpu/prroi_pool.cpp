// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <vector>

#include "atomtrack/primitives/checks.hpp"
#include "atomtrack/primitives/scalar/prroi_weights.hpp"
#include "cpu/cpu_primitives.hpp"
#include "cpu/parallel.hpp"

namespace atomtrack {
namespace {

using scalar::PrRoiBin;
using scalar::PrRoiGradient;

// The pooling is separable: a weight table per axis, then two small matrix products per channel.
// Channels are handled in groups of `lanes`, whose part of the map under the roi is gathered with
// the channel innermost, so that all inner loops run over `lanes` neighbours.
constexpr std::int64_t lanes = 16;

/// The weights of one axis, or a derivative of them: value(bin, cell) for the cells first .. first
/// + cells - 1.
template <class T>
struct Table {
  std::vector<T> values;

  const T* row(std::int64_t bin, std::int64_t cells) const { return values.data() + bin * cells; }
};

/// One axis of one roi: its bins, the cells that they touch, and which of them each bin touches.
template <class T>
class Axis {
 public:
  Axis(T start, T end, std::int64_t count, std::int64_t extent) {
    for (std::int64_t p = 0; p < count; ++p)
      bins_.push_back(scalar::prroi_bin(start, end, p, count));
    first_ = scalar::prroi_first_cell(bins_.front(), extent);
    cells_ = std::max<std::int64_t>(0, scalar::prroi_end_cell(bins_.back(), extent) - first_);
    for (const PrRoiBin<T>& bin : bins_) {
      const std::int64_t begin =
          std::clamp<std::int64_t>(scalar::prroi_first_cell(bin, extent) - first_, 0, cells_);
      const std::int64_t stop =
          std::clamp<std::int64_t>(scalar::prroi_end_cell(bin, extent) - first_, begin, cells_);
      ranges_.push_back({begin, stop});
    }
  }

  std::int64_t first() const { return first_; }
  std::int64_t cells() const { return cells_; }
  std::int64_t bins() const { return static_cast<std::int64_t>(bins_.size()); }
  std::array<std::int64_t, 2> range(std::int64_t bin) const {
    return ranges_[static_cast<std::size_t>(bin)];
  }

  /// A table of f(bin, cell) over the cells that each bin touches, zero elsewhere.
  template <class F>
  Table<T> table(F f) const {
    Table<T> result{std::vector<T>(static_cast<std::size_t>(bins() * cells_), T{0})};
    for (std::int64_t p = 0; p < bins(); ++p) {
      for (std::int64_t i = range(p)[0]; i < range(p)[1]; ++i) {
        result.values[static_cast<std::size_t>(p * cells_ + i)] =
            f(bins_[static_cast<std::size_t>(p)], first_ + i);
      }
    }
    return result;
  }
  Table<T> weights() const { return table(scalar::prroi_weight<T>); }
  Table<T> tangent(PrRoiGradient<T> v) const {
    return table([v](const PrRoiBin<T>& bin, std::int64_t cell) {
      return scalar::prroi_weight_tangent(bin, cell, v);
    });
  }
  /// The gradients of the weights with respect to the roi's start and end.
  std::array<Table<T>, 2> gradient() const {
    return split([](const PrRoiBin<T>& bin, std::int64_t cell) {
      return scalar::prroi_weight_gradient(bin, cell);
    });
  }
  std::array<Table<T>, 2> tangent_gradient(PrRoiGradient<T> v) const {
    return split([v](const PrRoiBin<T>& bin, std::int64_t cell) {
      return scalar::prroi_weight_tangent_gradient(bin, cell, v);
    });
  }

 private:
  template <class F>
  std::array<Table<T>, 2> split(F f) const {
    return {table([&](const PrRoiBin<T>& bin, std::int64_t cell) { return f(bin, cell).start; }),
            table([&](const PrRoiBin<T>& bin, std::int64_t cell) { return f(bin, cell).end; })};
  }

  std::vector<PrRoiBin<T>> bins_;
  std::vector<std::array<std::int64_t, 2>> ranges_;
  std::int64_t first_ = 0;
  std::int64_t cells_ = 0;
};

/// A weight a_y[p,i] a_x[q,j] (or derivative): one table per axis.
template <class T>
struct Product {
  Table<T> y, x;
};

/// One roi over one feature map, and the loops that all six functions are made of.
template <class T>
struct Roi {
  Roi(const T* roi, T scale, const Shape& features, PrRoiGeometry geometry)
      : image(static_cast<std::int64_t>(roi[0])),
        height(features[2]),
        width(features[3]),
        channels(features[1]),
        y(roi[2] * scale, roi[4] * scale, geometry.pooled_height, height),
        x(roi[1] * scale, roi[3] * scale, geometry.pooled_width, width) {}

  std::int64_t patch_size() const { return y.cells() * x.cells() * lanes; }
  std::int64_t pooled_size() const { return y.bins() * x.bins() * lanes; }
  std::int64_t scratch_size() const { return patch_size() + pooled_size() + x.cells() * lanes; }

  /// patch[i][j][lane] <-> the cells under the roi of channels c .. c + count - 1.
  void gather(const T* features, std::int64_t c, std::int64_t count, T* patch) const {
    std::fill_n(patch, patch_size(), T{0});
    for_each_cell(c, count, [&](std::int64_t in_patch, std::int64_t in_map) {
      patch[in_patch] = features[in_map];
    });
  }
  void scatter_add(const T* patch, std::int64_t c, std::int64_t count, T* features) const {
    for_each_cell(c, count, [&](std::int64_t in_patch, std::int64_t in_map) {
      features[in_map] += patch[in_patch];
    });
  }

  /// pooled[p][q][lane] += sum_ij a_y[p,i] patch[i][j][lane] a_x[q,j].
  void pool(const Product<T>& a, const T* patch, T* line, T* pooled) const {
    for (std::int64_t p = 0; p < y.bins(); ++p) {
      std::fill_n(line, x.cells() * lanes, T{0});
      for (std::int64_t i = y.range(p)[0]; i < y.range(p)[1]; ++i) {
        const T weight = a.y.row(p, y.cells())[i];
        const T* source = patch + i * x.cells() * lanes;
        for (std::int64_t e = 0; e < x.cells() * lanes; ++e) line[e] += weight * source[e];
      }
      for (std::int64_t q = 0; q < x.bins(); ++q) {
        T* out = pooled + (p * x.bins() + q) * lanes;
        for (std::int64_t j = x.range(q)[0]; j < x.range(q)[1]; ++j) {
          const T weight = a.x.row(q, x.cells())[j];
          for (std::int64_t lane = 0; lane < lanes; ++lane)
            out[lane] += weight * line[j * lanes + lane];
        }
      }
    }
  }

  /// The adjoint: patch[i][j][lane] += sum_pq a_y[p,i] pooled[p][q][lane] a_x[q,j].
  void unpool(const Product<T>& a, const T* pooled, T* line, T* patch) const {
    for (std::int64_t p = 0; p < y.bins(); ++p) {
      std::fill_n(line, x.cells() * lanes, T{0});
      for (std::int64_t q = 0; q < x.bins(); ++q) {
        const T* in = pooled + (p * x.bins() + q) * lanes;
        for (std::int64_t j = x.range(q)[0]; j < x.range(q)[1]; ++j) {
          const T weight = a.x.row(q, x.cells())[j];
          for (std::int64_t lane = 0; lane < lanes; ++lane)
            line[j * lanes + lane] += weight * in[lane];
        }
      }
      for (std::int64_t i = y.range(p)[0]; i < y.range(p)[1]; ++i) {
        const T weight = a.y.row(p, y.cells())[i];
        T* target = patch + i * x.cells() * lanes;
        for (std::int64_t e = 0; e < x.cells() * lanes; ++e) target[e] += weight * line[e];
      }
    }
  }

  /// pooled[p][q][lane] <-> [C,ph,pw] of this roi, channels c .. c + count - 1; missing lanes are
  /// zero.
  void load_pooled(const T* values, std::int64_t c, std::int64_t count, T* pooled) const {
    const std::int64_t bins = y.bins() * x.bins();
    std::fill_n(pooled, pooled_size(), T{0});
    for (std::int64_t lane = 0; lane < count; ++lane)
      for (std::int64_t b = 0; b < bins; ++b)
        pooled[b * lanes + lane] = values[(c + lane) * bins + b];
  }
  void store_pooled(const T* pooled, std::int64_t c, std::int64_t count, T* values) const {
    const std::int64_t bins = y.bins() * x.bins();
    for (std::int64_t lane = 0; lane < count; ++lane)
      for (std::int64_t b = 0; b < bins; ++b)
        values[(c + lane) * bins + b] = pooled[b * lanes + lane];
  }

  std::int64_t image, height, width, channels;
  Axis<T> y, x;

 private:
  template <class F>
  void for_each_cell(std::int64_t c, std::int64_t count, F f) const {
    for (std::int64_t lane = 0; lane < count; ++lane)
      for (std::int64_t i = 0; i < y.cells(); ++i) {
        const std::int64_t in_map =
            ((image * channels + c + lane) * height + y.first() + i) * width + x.first();
        for (std::int64_t j = 0; j < x.cells(); ++j)
          f((i * x.cells() + j) * lanes + lane, in_map + j);
      }
  }
};

template <class T>
bool has_area(const T* roi, T scale) {
  return scalar::prroi_has_area(roi[1] * scale, roi[2] * scale, roi[3] * scale, roi[4] * scale);
}

/// The change of the roi's two ends on each axis, in map cells.
template <class T>
PrRoiGradient<T> along_y(const T* tangent, T scale) {
  return {tangent[2] * scale, tangent[4] * scale};
}
template <class T>
PrRoiGradient<T> along_x(const T* tangent, T scale) {
  return {tangent[1] * scale, tangent[3] * scale};
}

/// The products whose sum is the pooling's weight: one for P, and two for its derivative Q along a
/// tangent.
template <class T>
std::vector<Product<T>> pooling_products(const Roi<T>& roi, const T* tangent, T scale) {
  if (tangent == nullptr) return {{roi.y.weights(), roi.x.weights()}};
  return {{roi.y.tangent(along_y(tangent, scale)), roi.x.weights()},
          {roi.y.weights(), roi.x.tangent(along_x(tangent, scale))}};
}

/// A product and which of the roi's columns (1: x0, 2: y0, 3: x1, 4: y1) it is part of the gradient
/// of.
template <class T>
struct GradientProduct {
  Product<T> product;
  std::size_t column;
};

/// The gradient of the pooling's weight with respect to the roi, by the product rule.
template <class T>
std::vector<GradientProduct<T>> gradient_products(const Roi<T>& roi, const T* tangent, T scale) {
  std::vector<GradientProduct<T>> products;
  const auto add = [&](const std::array<Table<T>, 2>& d_y, const Table<T>& x) {
    for (std::size_t end = 0; end < 2; ++end) products.push_back({{d_y[end], x}, 2 + 2 * end});
  };
  const auto add_x = [&](const Table<T>& y, const std::array<Table<T>, 2>& d_x) {
    for (std::size_t end = 0; end < 2; ++end) products.push_back({{y, d_x[end]}, 1 + 2 * end});
  };
  if (tangent == nullptr) {
    add(roi.y.gradient(), roi.x.weights());
    add_x(roi.y.weights(), roi.x.gradient());
    return products;
  }
  const PrRoiGradient<T> v_y = along_y(tangent, scale);
  const PrRoiGradient<T> v_x = along_x(tangent, scale);
  add(roi.y.tangent_gradient(v_y), roi.x.weights());
  add(roi.y.gradient(), roi.x.tangent(v_x));
  add_x(roi.y.tangent(v_y), roi.x.gradient());
  add_x(roi.y.weights(), roi.x.tangent_gradient(v_x));
  return products;
}

/// A roi's row of the tangent, or null when there is none.
template <class T>
const T* row_or_null(const Tensor<T>* tangent, std::int64_t k) {
  return tangent == nullptr ? nullptr : tangent->data() + 5 * k;
}

template <class T>
void pool(const Tensor<T>& features, const Tensor<T>& rois, const Tensor<T>* tangent,
          PrRoiGeometry geometry, Tensor<T>& pooled) {
  checks::prroi_pool(features.shape(), rois.shape(), geometry, pooled.shape());
  checks::roi_batch_indices(rois, features.extent(0));
  const T scale = static_cast<T>(geometry.spatial_scale);
  const std::int64_t channels = features.extent(1);
  const std::int64_t bins = std::int64_t{geometry.pooled_height} * geometry.pooled_width;
  cpu::parallel_for(rois.extent(0), 1, [&](std::int64_t begin, std::int64_t end) {
    std::vector<T> scratch;
    for (std::int64_t k = begin; k < end; ++k) {
      T* out = pooled.data() + k * channels * bins;
      const T* corners = rois.data() + 5 * k;
      if (!has_area(corners, scale)) {
        std::fill_n(out, channels * bins, T{0});
        continue;
      }
      const Roi<T> roi(corners, scale, features.shape(), geometry);
      const std::vector<Product<T>> products =
          pooling_products(roi, row_or_null(tangent, k), scale);
      scratch.resize(static_cast<std::size_t>(roi.scratch_size()));
      T* patch = scratch.data();
      T* values = patch + roi.patch_size();
      T* line = values + roi.pooled_size();
      for (std::int64_t c = 0; c < channels; c += lanes) {
        const std::int64_t count = std::min(lanes, channels - c);
        roi.gather(features.data(), c, count, patch);
        std::fill_n(values, roi.pooled_size(), T{0});
        for (const Product<T>& product : products) roi.pool(product, patch, line, values);
        roi.store_pooled(values, c, count, out);
      }
    }
  });
}

// Rois overlap, so channels are shared out between threads and each adds its rois in order.
template <class T>
void unpool(const Tensor<T>& grad_pooled, const Tensor<T>& rois, const Tensor<T>* tangent,
            PrRoiGeometry geometry, Write write, Tensor<T>& grad_features) {
  checks::prroi_pool(grad_features.shape(), rois.shape(), geometry, grad_pooled.shape());
  checks::roi_batch_indices(rois, grad_features.extent(0));
  const T scale = static_cast<T>(geometry.spatial_scale);
  const std::int64_t channels = grad_features.extent(1);
  const std::int64_t bins = std::int64_t{geometry.pooled_height} * geometry.pooled_width;
  if (write == Write::overwrite) std::fill_n(grad_features.data(), grad_features.numel(), T{0});
  cpu::parallel_for((channels + lanes - 1) / lanes, 1, [&](std::int64_t begin, std::int64_t end) {
    std::vector<T> scratch;
    for (std::int64_t k = 0; k < rois.extent(0); ++k) {
      const T* corners = rois.data() + 5 * k;
      if (!has_area(corners, scale)) continue;
      const Roi<T> roi(corners, scale, grad_features.shape(), geometry);
      const std::vector<Product<T>> products =
          pooling_products(roi, row_or_null(tangent, k), scale);
      scratch.resize(static_cast<std::size_t>(roi.scratch_size()));
      T* patch = scratch.data();
      T* values = patch + roi.patch_size();
      T* line = values + roi.pooled_size();
      for (std::int64_t c = begin * lanes; c < std::min(channels, end * lanes); c += lanes) {
        const std::int64_t count = std::min(lanes, channels - c);
        roi.load_pooled(grad_pooled.data() + k * channels * bins, c, count, values);
        std::fill_n(patch, roi.patch_size(), T{0});
        for (const Product<T>& product : products) roi.unpool(product, values, line, patch);
        roi.scatter_add(patch, c, count, grad_features.data());
      }
    }
  });
}

template <class T>
void roi_gradient(const Tensor<T>& features, const Tensor<T>& rois, const Tensor<T>* tangent,
                  const Tensor<T>& grad_pooled, PrRoiGeometry geometry, Tensor<T>& grad_rois) {
  checks::prroi_pool(features.shape(), rois.shape(), geometry, grad_pooled.shape());
  checks::same_shape("prroi_pool_roi_gradient", rois.shape(), grad_rois.shape());
  checks::roi_batch_indices(rois, features.extent(0));
  const T scale = static_cast<T>(geometry.spatial_scale);
  const std::int64_t channels = features.extent(1);
  const std::int64_t bins = std::int64_t{geometry.pooled_height} * geometry.pooled_width;
  std::fill_n(grad_rois.data(), grad_rois.numel(), T{0});
  cpu::parallel_for(rois.extent(0), 1, [&](std::int64_t begin, std::int64_t end) {
    std::vector<T> scratch;
    for (std::int64_t k = begin; k < end; ++k) {
      const T* corners = rois.data() + 5 * k;
      if (!has_area(corners, scale)) continue;
      const Roi<T> roi(corners, scale, features.shape(), geometry);
      const std::vector<GradientProduct<T>> products =
          gradient_products(roi, row_or_null(tangent, k), scale);
      scratch.resize(static_cast<std::size_t>(roi.scratch_size() + roi.pooled_size()));
      T* patch = scratch.data();
      T* values = patch + roi.patch_size();
      T* given = values + roi.pooled_size();
      T* line = given + roi.pooled_size();
      for (std::int64_t c = 0; c < channels; c += lanes) {
        const std::int64_t count = std::min(lanes, channels - c);
        roi.gather(features.data(), c, count, patch);
        roi.load_pooled(grad_pooled.data() + k * channels * bins, c, count, given);
        for (const auto& [product, column] : products) {
          std::fill_n(values, roi.pooled_size(), T{0});
          roi.pool(product, patch, line, values);
          T sum{0};
          for (std::int64_t e = 0; e < roi.pooled_size(); ++e) sum += given[e] * values[e];
          grad_rois.data()[5 * k + static_cast<std::int64_t>(column)] += scale * sum;
        }
      }
    }
  });
}

}  // namespace

template <class T>
void CpuPrimitives<T>::prroi_pool(const Tensor<T>& features, const Tensor<T>& rois,
                                  PrRoiGeometry geometry, Tensor<T>& pooled) {
  pool(features, rois, static_cast<const Tensor<T>*>(nullptr), geometry, pooled);
}

template <class T>
void CpuPrimitives<T>::prroi_pool_adjoint(const Tensor<T>& grad_pooled, const Tensor<T>& rois,
                                          PrRoiGeometry geometry, Write write,
                                          Tensor<T>& grad_features) {
  unpool(grad_pooled, rois, static_cast<const Tensor<T>*>(nullptr), geometry, write, grad_features);
}

template <class T>
void CpuPrimitives<T>::prroi_pool_roi_gradient(const Tensor<T>& features, const Tensor<T>& rois,
                                               const Tensor<T>& grad_pooled, PrRoiGeometry geometry,
                                               Tensor<T>& grad_rois) {
  roi_gradient(features, rois, static_cast<const Tensor<T>*>(nullptr), grad_pooled, geometry,
               grad_rois);
}

template <class T>
void CpuPrimitives<T>::prroi_pool_tangent(const Tensor<T>& features, const Tensor<T>& rois,
                                          const Tensor<T>& tangent, PrRoiGeometry geometry,
                                          Tensor<T>& pooled) {
  checks::same_shape("prroi_pool_tangent", rois.shape(), tangent.shape());
  pool(features, rois, &tangent, geometry, pooled);
}

template <class T>
void CpuPrimitives<T>::prroi_pool_tangent_adjoint(const Tensor<T>& grad_pooled,
                                                  const Tensor<T>& rois, const Tensor<T>& tangent,
                                                  PrRoiGeometry geometry, Write write,
                                                  Tensor<T>& grad_features) {
  checks::same_shape("prroi_pool_tangent_adjoint", rois.shape(), tangent.shape());
  unpool(grad_pooled, rois, &tangent, geometry, write, grad_features);
}

template <class T>
void CpuPrimitives<T>::prroi_pool_tangent_roi_gradient(
    const Tensor<T>& features, const Tensor<T>& rois, const Tensor<T>& tangent,
    const Tensor<T>& grad_pooled, PrRoiGeometry geometry, Tensor<T>& grad_rois) {
  checks::same_shape("prroi_pool_tangent_roi_gradient", rois.shape(), tangent.shape());
  roi_gradient(features, rois, &tangent, grad_pooled, geometry, grad_rois);
}

template class CpuPrimitives<float>;
template class CpuPrimitives<double>;

}  // namespace atomtrack
