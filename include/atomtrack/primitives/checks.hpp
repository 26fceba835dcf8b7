// SPDX-License-Identifier: MIT
#pragma once

#include <span>

#include "atomtrack/primitives/geometry.hpp"
#include "atomtrack/tensor/tensor.hpp"

namespace atomtrack::checks {

// What the primitives' contracts ask of their arguments, for every backend alike. Each throws
// ShapeError naming the primitive, what it expected and what came.

void same_shape(const char* primitive, const Shape& expected, const Shape& came);
void broadcasts_to(const char* primitive, const Shape& a, const Shape& b, const Shape& result);
void reduces_to(const Shape& source, const Shape& result);
void block(const Shape& source, const Shape& source_start, const Shape& target,
           const Shape& target_start, const Shape& extent);
void permutation(const Shape& source, std::span<const int> order, const Shape& result);
/// Returns K, the extent summed over.
std::int64_t gemm(bool transpose_a, bool transpose_b, const Shape& a, const Shape& b,
                  const Shape& c);
void conv2d(const Shape& x, const Shape& w, Conv2dGeometry geometry, const Shape& y);
void pool2d(const char* primitive, const Shape& x, Pool2dGeometry geometry, const Shape& y);
void prroi_pool(const Shape& features, const Shape& rois, PrRoiGeometry geometry,
                const Shape& pooled);
void crop(const Shape& image, std::span<const CropWindow> windows, const Shape& result);
void crop_frame(const Shape& frame, const CropWindow& window, std::size_t offsets,
                std::size_t scales, const Shape& result);
void pixels(const PixelRows& frame, std::int64_t top, std::int64_t left, std::int64_t step,
            const Shape& pixels);
void two_peaks(const Shape& maps, const Shape& sizes, const Shape& peaks);
/// Throws InputError for any other.
void full_precision(Precision precision, std::string_view backend);
void scalar(const char* primitive, const Shape& shape);

/// Whether a roi lies in the batch; the host backends throw InputError when one does not.
template <class T>
void roi_batch_indices(const Tensor<T>& rois, std::int64_t batch) {
  const T* data = rois.data();
  for (std::int64_t k = 0; k < rois.extent(0); ++k) {
    const T index = data[5 * k];
    require<InputError>(index >= T(0) && index < static_cast<T>(batch), "prroi_pool: roi ", k,
                        " names image ", index, " of a batch of ", batch);
  }
}

}  // namespace atomtrack::checks
