// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "atomtrack/primitives/host_images.hpp"
#include "atomtrack/primitives/primitives.hpp"

namespace atomtrack {

/// The primitives as plain loops that follow the definitions word by word: slow, obviously right,
/// and the judge of the other backends. Sums are formed in T, in index order.
template <class T>
class ReferencePrimitives final : public Primitives<T> {
 public:
  std::string_view name() const override { return "reference"; }

  void fill(T value, Tensor<T>& dst) override;
  void copy(const Tensor<T>& src, Tensor<T>& dst) override;
  void map(const Map& f, const Tensor<T>& src, Tensor<T>& dst) override;
  void combine(Combination f, const Tensor<T>& a, const Tensor<T>& b, Tensor<T>& dst) override;
  void reduce_sum(const Tensor<T>& src, Write write, Tensor<T>& dst) override;

  void copy_block(const Tensor<T>& src, const Shape& src_start, Write write, Tensor<T>& dst,
                  const Shape& dst_start, const Shape& extent) override;
  void permute(const Tensor<T>& src, std::span<const int> order, Tensor<T>& dst) override;
  void gather(const Tensor<T>& src, const Tensor<std::int32_t>& indices, Tensor<T>& dst) override;
  void scatter_add(const Tensor<T>& src, const Tensor<std::int32_t>& indices, Write write,
                   Tensor<T>& dst) override;

  void gemm(bool transpose_a, bool transpose_b, const Tensor<T>& a, const Tensor<T>& b, Write write,
            Tensor<T>& c) override;

  void conv2d(const Tensor<T>& x, const Tensor<T>& w, Conv2dGeometry geometry,
              Tensor<T>& y) override;
  void conv2d_data_adjoint(const Tensor<T>& gy, const Tensor<T>& w, Conv2dGeometry geometry,
                           Write write, Tensor<T>& gx) override;
  void conv2d_filter_adjoint(const Tensor<T>& gy, const Tensor<T>& x, Conv2dGeometry geometry,
                             Write write, Tensor<T>& gw) override;
  void max_pool2d(const Tensor<T>& x, Pool2dGeometry geometry, Tensor<T>& y,
                  Tensor<std::int32_t>& indices) override;
  void average_pool2d(const Tensor<T>& x, Pool2dGeometry geometry, Tensor<T>& y) override;
  void average_pool2d_adjoint(const Tensor<T>& gy, Pool2dGeometry geometry, Write write,
                              Tensor<T>& gx) override;

  void prroi_pool(const Tensor<T>& features, const Tensor<T>& rois, PrRoiGeometry geometry,
                  Tensor<T>& pooled) override;
  void prroi_pool_adjoint(const Tensor<T>& grad_pooled, const Tensor<T>& rois,
                          PrRoiGeometry geometry, Write write, Tensor<T>& grad_features) override;
  void prroi_pool_roi_gradient(const Tensor<T>& features, const Tensor<T>& rois,
                               const Tensor<T>& grad_pooled, PrRoiGeometry geometry,
                               Tensor<T>& grad_rois) override;
  void prroi_pool_tangent(const Tensor<T>& features, const Tensor<T>& rois,
                          const Tensor<T>& tangent, PrRoiGeometry geometry,
                          Tensor<T>& pooled) override;
  void prroi_pool_tangent_adjoint(const Tensor<T>& grad_pooled, const Tensor<T>& rois,
                                  const Tensor<T>& tangent, PrRoiGeometry geometry, Write write,
                                  Tensor<T>& grad_features) override;
  void prroi_pool_tangent_roi_gradient(const Tensor<T>& features, const Tensor<T>& rois,
                                       const Tensor<T>& tangent, const Tensor<T>& grad_pooled,
                                       PrRoiGeometry geometry, Tensor<T>& grad_rois) override;

  void crop_resize(const Tensor<T>& image, std::span<const CropWindow> windows,
                   Tensor<T>& dst) override;
  void crop_resize_adjoint(const Tensor<T>& grad_dst, std::span<const CropWindow> windows,
                           Write write, Tensor<T>& grad_image) override;
  void crop_resize_frame(const Tensor<std::uint8_t>& frame, const CropWindow& window,
                         std::span<const T> offset, std::span<const T> scale,
                         Tensor<T>& dst) override;
  void unpack_pixels(const PixelRows& frame, std::int64_t top, std::int64_t left, std::int64_t step,
                     Tensor<std::uint8_t>& pixels) override {
    host::unpack_pixels(frame, top, left, step, pixels);
  }
  void two_peaks(const Tensor<T>& maps, const Tensor<double>& sizes, Tensor<T>& peaks) override {
    host::two_peaks(maps, sizes, peaks);
  }

  void dot(const Tensor<T>& x, const Tensor<T>& y, Write write, Tensor<double>& result) override;
  void axpy(double factor, const Tensor<double>& alpha, const Tensor<T>& x, Tensor<T>& y) override;
  void xpby(const Tensor<T>& x, const Tensor<double>& beta, Tensor<T>& y) override;

  std::unique_ptr<CompiledFeatures<T>> compile(const FeatureProgram<T>& program) override;
};

}  // namespace atomtrack
