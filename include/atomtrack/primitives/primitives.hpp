// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "atomtrack/primitives/feature_program.hpp"
#include "atomtrack/primitives/geometry.hpp"
#include "atomtrack/primitives/scalar/maps.hpp"
#include "atomtrack/tensor/tensor.hpp"

namespace atomtrack {

/// Everything that a backend computes: the one interface behind autodiff, layers and the tracker.
///
/// Common contract. Destinations are allocated by the caller, on the same device as the sources,
/// with exactly the shape stated; a mismatch throws ShapeError before anything is written. A
/// destination is overwritten unless a `Write` argument or the text says that it is accumulated
/// into; stale contents (NaN included) of an overwritten destination have no effect. A destination
/// may not overlap a source unless "in place" is allowed. Tensors with no elements are accepted and
/// do nothing (a reduction over nothing gives zeros). T is float or double.
///
/// Thread safety: all functions may be called from several threads at once on different
/// destinations. On a GPU they are ordered on the calling thread's current stream and return before
/// the work is done.
template <class T>
class Primitives {
 public:
  virtual ~Primitives() = default;
  virtual std::string_view name() const = 0;

  // ---- Elementwise ----

  virtual void fill(T value, Tensor<T>& dst) = 0;
  /// dst = src (same shape).
  virtual void copy(const Tensor<T>& src, Tensor<T>& dst) = 0;
  /// dst = f(src), element by element. In place allowed.
  virtual void map(const Map& f, const Tensor<T>& src, Tensor<T>& dst) = 0;
  /// dst = f(a, b), where a and b broadcast to dst's shape (aligned at the last axis; extent 1
  /// repeats). In place allowed with an operand that has dst's shape.
  virtual void combine(Combination f, const Tensor<T>& a, const Tensor<T>& b, Tensor<T>& dst) = 0;
  /// Sums src over the axes that dst lacks or has with extent 1 (dst's shape broadcasts to src's).
  virtual void reduce_sum(const Tensor<T>& src, Write write, Tensor<T>& dst) = 0;

  // ---- Layout ----

  /// Copies the block of `extent` that starts at `src_start` in src to `dst_start` in dst; the rest
  /// of dst is untouched. All three have the tensors' rank (src and dst have the same rank,
  /// different extents).
  virtual void copy_block(const Tensor<T>& src, const Shape& src_start, Write write, Tensor<T>& dst,
                          const Shape& dst_start, const Shape& extent) = 0;
  /// dst axis i is src axis order[i].
  virtual void permute(const Tensor<T>& src, std::span<const int> order, Tensor<T>& dst) = 0;
  /// dst[k] = src[indices[k]] over flat positions; indices has dst's number of elements, each
  /// within src.
  virtual void gather(const Tensor<T>& src, const Tensor<std::int32_t>& indices,
                      Tensor<T>& dst) = 0;
  /// dst[indices[k]] += src[k] (after dst = 0 when overwriting). Repeated indices add up.
  virtual void scatter_add(const Tensor<T>& src, const Tensor<std::int32_t>& indices, Write write,
                           Tensor<T>& dst) = 0;

  // ---- Matrices ----

  /// c [M,N] = op(a) op(b), added to c when accumulating; op transposes the two axes when its flag
  /// is set.
  virtual void gemm(bool transpose_a, bool transpose_b, const Tensor<T>& a, const Tensor<T>& b,
                    Write write, Tensor<T>& c) = 0;

  // ---- Convolution and pooling ----

  /// Cross-correlation: y[n,o,i,j] = sum_{c,u,v} x[n,c, i*stride + u - padding, j*stride + v -
  /// padding] w[o,c,u,v], zero outside. x [N,Cin,H,W], w [Cout,Cin,Kh,Kw], y as conv2d_shape says.
  virtual void conv2d(const Tensor<T>& x, const Tensor<T>& w, Conv2dGeometry geometry,
                      Tensor<T>& y) = 0;
  /// gx = the adjoint of conv2d in x applied to gy: <conv2d(x,w), gy> = <x, gx>. gx's shape fixes H
  /// and W.
  virtual void conv2d_data_adjoint(const Tensor<T>& gy, const Tensor<T>& w, Conv2dGeometry geometry,
                                   Write write, Tensor<T>& gx) = 0;
  /// gw = the adjoint of conv2d in w applied to gy: <conv2d(x,w), gy> = <w, gw>.
  virtual void conv2d_filter_adjoint(const Tensor<T>& gy, const Tensor<T>& x,
                                     Conv2dGeometry geometry, Write write, Tensor<T>& gw) = 0;

  /// y = the maximum of each window, and `indices` (shape of y) its flat position in x; the first
  /// one wins a tie, NaN wins all.
  virtual void max_pool2d(const Tensor<T>& x, Pool2dGeometry geometry, Tensor<T>& y,
                          Tensor<std::int32_t>& indices) = 0;
  /// y = the mean of each window, padding counted as zeros (the divisor is always window * window).
  virtual void average_pool2d(const Tensor<T>& x, Pool2dGeometry geometry, Tensor<T>& y) = 0;
  virtual void average_pool2d_adjoint(const Tensor<T>& gy, Pool2dGeometry geometry, Write write,
                                      Tensor<T>& gx) = 0;

  // ---- PrRoIPool (paper section 3.1; formulas in primitives/scalar/prroi_weights.hpp) ----
  //
  // features [N,C,H,W]; rois [K,5] rows (batch index, x0, y0, x1, y1) in image pixels; pooled
  // values and their gradients [K,C,ph,pw]; gradients for rois [K,5] with a zero first column. A
  // roi whose width or height is not positive pools to zeros and has zero gradients. A batch index
  // outside 0..N-1 throws InputError on the host backends; on a GPU the roi pools to zeros.

  /// P(F, B): the exact mean over each bin of the bilinear interpolant of F, zero outside the map.
  virtual void prroi_pool(const Tensor<T>& features, const Tensor<T>& rois, PrRoiGeometry geometry,
                          Tensor<T>& pooled) = 0;
  /// The adjoint of P in F.
  virtual void prroi_pool_adjoint(const Tensor<T>& grad_pooled, const Tensor<T>& rois,
                                  PrRoiGeometry geometry, Write write,
                                  Tensor<T>& grad_features) = 0;
  /// d<grad_pooled, P(F, B)> / dB.
  virtual void prroi_pool_roi_gradient(const Tensor<T>& features, const Tensor<T>& rois,
                                       const Tensor<T>& grad_pooled, PrRoiGeometry geometry,
                                       Tensor<T>& grad_rois) = 0;
  /// Q(F, B; V) = the derivative of P(F, B) along V [K,5] in B (V's first column is ignored).
  /// Linear in F and in V.
  virtual void prroi_pool_tangent(const Tensor<T>& features, const Tensor<T>& rois,
                                  const Tensor<T>& tangent, PrRoiGeometry geometry,
                                  Tensor<T>& pooled) = 0;
  /// The adjoint of Q in F.
  virtual void prroi_pool_tangent_adjoint(const Tensor<T>& grad_pooled, const Tensor<T>& rois,
                                          const Tensor<T>& tangent, PrRoiGeometry geometry,
                                          Write write, Tensor<T>& grad_features) = 0;
  /// d<grad_pooled, Q(F, B; V)> / dB: the second derivative in the box, which exists where no bin
  /// edge lies on a whole map cell (there the one-sided value from above is given).
  virtual void prroi_pool_tangent_roi_gradient(const Tensor<T>& features, const Tensor<T>& rois,
                                               const Tensor<T>& tangent,
                                               const Tensor<T>& grad_pooled, PrRoiGeometry geometry,
                                               Tensor<T>& grad_rois) = 0;

  // ---- Images ----

  /// Crops `windows[n]` of image n and resizes it bilinearly to dst's size, half-pixel centres,
  /// border repeated, no low-pass: dst row i reads window row (i + 0.5) * window.height / height -
  /// 0.5, clamped to the window. image [N,C,H,W], N = windows.size(), dst [N,C,height,width].
  virtual void crop_resize(const Tensor<T>& image, std::span<const CropWindow> windows,
                           Tensor<T>& dst) = 0;
  virtual void crop_resize_adjoint(const Tensor<T>& grad_dst, std::span<const CropWindow> windows,
                                   Write write, Tensor<T>& grad_image) = 0;
  /// The same from an 8-bit frame [H,W,C] (C interleaved channels) to dst [1,C,height,width]; the
  /// result is then scaled per channel: (value - offset[c]) * scale[c].
  virtual void crop_resize_frame(const Tensor<std::uint8_t>& frame, const CropWindow& window,
                                 std::span<const T> offset, std::span<const T> scale,
                                 Tensor<T>& dst) = 0;
  /// pixels [h,w,3] = the frame's pixels (top + i * step, left + j * step) as 8-bit RGB: channels
  /// reordered, alpha dropped, grey repeated, of 16 bits the upper 8. The frame lies in this
  /// device's memory. Throws InputError when a pixel would lie outside it.
  virtual void unpack_pixels(const PixelRows& frame, std::int64_t top, std::int64_t left,
                             std::int64_t step, Tensor<std::uint8_t>& pixels) = 0;

  /// peaks[n] [N,6] = row, column and value of the highest of maps[n] [N,H,W], then of the highest
  /// outside its neighbourhood of sizes[n] (height, width) [N,2], where values count as zeros (the
  /// bounds are in primitives/scalar/peaks.hpp). The first one wins a tie, and NaN loses to all.
  virtual void two_peaks(const Tensor<T>& maps, const Tensor<double>& sizes, Tensor<T>& peaks) = 0;

  // ---- Scalars that stay on the device ----
  //
  // A device scalar is a one-element Tensor<double>; arithmetic on several is
  // Primitives<double>::combine. Conjugate Gradient's alpha, beta and rho are such scalars, so that
  // they never visit the host.

  /// result = <x, y>, accumulated in double in a fixed order (two runs agree bit for bit); x and y
  /// have one shape.
  virtual void dot(const Tensor<T>& x, const Tensor<T>& y, Write write, Tensor<double>& result) = 0;
  /// y += factor * alpha * x.
  virtual void axpy(double factor, const Tensor<double>& alpha, const Tensor<T>& x,
                    Tensor<T>& y) = 0;
  /// y = x + beta * y.
  virtual void xpby(const Tensor<T>& x, const Tensor<double>& beta, Tensor<T>& y) = 0;

  // ---- Frozen features ----

  /// Prepares a frozen network for repeated evaluation: chooses layouts and kernels and packs the
  /// weights once. Throws ShapeError when the program is inconsistent.
  virtual std::unique_ptr<CompiledFeatures<T>> compile(const FeatureProgram<T>& program) = 0;
};

/// The backend of `device`. Throws DeviceError when this build has none or the device is absent.
template <class T>
Primitives<T>& primitives_for(Device device);

extern template Primitives<float>& primitives_for<float>(Device);
extern template Primitives<double>& primitives_for<double>(Device);

/// How many host threads the `cpu` backend uses, BLAS and oneDNN included: one setting for the
/// process (default: all the processor's cores). Thread-safe, but not to be changed while another
/// thread computes. Throws InputError unless n >= 1.
void set_threads(int n);
int threads();

}  // namespace atomtrack
