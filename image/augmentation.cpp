// SPDX-License-Identifier: MIT
#include "atomtrack/image/augmentation.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace atomtrack {
namespace {

using Kind = Augmentation::Kind;

/// Where the crop starts along one axis of the patch: the padding before the patch is
/// floor((out - in) / 2) + shift, negative where the patch is cut.
std::int64_t crop_start(std::int64_t in, std::int64_t out, int shift) {
  return (in - out + 1) / 2 - shift;  // in >= out
}

/// Writes the centre of `patch`, moved by the shift, to `crop`; pixels outside repeat the border.
void cut_centre(const Tensor<float>& patch, const Augmentation& augmentation, Tensor<float>& crop) {
  const std::int64_t height = patch.extent(2), width = patch.extent(3), out_height = crop.extent(2),
                     out_width = crop.extent(3);
  const std::int64_t top = crop_start(height, out_height, augmentation.shift_row);
  const std::int64_t left = crop_start(width, out_width, augmentation.shift_col);
  for (std::int64_t c = 0; c < patch.extent(1); ++c) {
    for (std::int64_t i = 0; i < out_height; ++i) {
      const std::int64_t row = std::clamp<std::int64_t>(top + i, 0, height - 1);
      const float* from = patch.data() + (c * height + row) * width;
      float* to = crop.data() + (c * out_height + i) * out_width;
      for (std::int64_t j = 0; j < out_width; ++j)
        to[j] = from[std::clamp<std::int64_t>(left + j, 0, width - 1)];
    }
  }
}

Tensor<float> flipped(const Tensor<float>& patch) {
  Tensor<float> result(patch.shape());
  const std::int64_t width = patch.extent(3);
  for (std::int64_t row = 0; row < patch.numel() / width; ++row) {
    std::reverse_copy(patch.data() + row * width, patch.data() + (row + 1) * width,
                      result.data() + row * width);
  }
  return result;
}

std::vector<float> gaussian(double sigma) {
  const int half = static_cast<int>(std::ceil(2.0 * sigma));
  std::vector<double> taps;
  double total = 0.0;
  for (int t = -half; t <= half; ++t) {
    taps.push_back(std::exp(-t * t / (2.0 * sigma * sigma)));
    total += taps.back();
  }
  std::vector<float> result;
  for (const double tap : taps) result.push_back(static_cast<float>(tap / total));
  return result;
}

/// Separable convolution with a Gaussian, zeros outside: rows first, then columns.
Tensor<float> blurred(const Tensor<float>& patch, double sigma_row, double sigma_col) {
  const std::int64_t height = patch.extent(2), width = patch.extent(3);
  const std::vector<float> vertical = gaussian(sigma_row);
  const std::vector<float> horizontal = gaussian(sigma_col);
  const auto half_v = static_cast<std::int64_t>(vertical.size() / 2),
             half_h = static_cast<std::int64_t>(horizontal.size() / 2);
  Tensor<float> result = Tensor<float>::zeros(patch.shape());
  std::vector<float> line(static_cast<std::size_t>(width));
  for (std::int64_t c = 0; c < patch.extent(1); ++c) {
    const float* plane = patch.data() + c * height * width;
    for (std::int64_t i = 0; i < height; ++i) {
      std::fill(line.begin(), line.end(), 0.0F);
      for (std::int64_t t = std::max<std::int64_t>(-half_v, -i);
           t <= std::min(half_v, height - 1 - i); ++t) {
        const float tap = vertical[static_cast<std::size_t>(t + half_v)];
        const float* from = plane + (i + t) * width;
        for (std::int64_t j = 0; j < width; ++j) line[static_cast<std::size_t>(j)] += tap * from[j];
      }
      float* to = result.data() + (c * height + i) * width;
      for (std::int64_t t = -half_h; t <= half_h; ++t) {
        const float tap = horizontal[static_cast<std::size_t>(t + half_h)];
        const std::int64_t begin = std::max<std::int64_t>(0, -t), end = std::min(width, width - t);
        for (std::int64_t j = begin; j < end; ++j)
          to[j] += tap * line[static_cast<std::size_t>(j + t)];
      }
    }
  }
  return result;
}

/// Rotates about the patch's centre and cuts the shifted centre out, in one pass: only pixels that
/// end in the crop are computed. Bilinear, border repeated.
void rotate_and_cut(const Tensor<float>& patch, const Augmentation& augmentation,
                    Tensor<float>& crop) {
  const std::int64_t height = patch.extent(2), width = patch.extent(3), out_height = crop.extent(2),
                     out_width = crop.extent(3);
  const double angle = augmentation.angle * std::numbers::pi / 180.0;
  const double cosine = std::cos(angle), sine = std::sin(angle);
  const double centre_row = (static_cast<double>(height) - 1) / 2,
               centre_col = (static_cast<double>(width) - 1) / 2;
  // Output pixel (i, j) is pixel (top + i, left + j) of the rotated patch, or of its border.
  const std::int64_t top = crop_start(height, out_height, augmentation.shift_row);
  const std::int64_t left = crop_start(width, out_width, augmentation.shift_col);
  for (std::int64_t i = 0; i < out_height; ++i) {
    const double y =
        static_cast<double>(std::clamp<std::int64_t>(top + i, 0, height - 1)) - centre_row;
    for (std::int64_t j = 0; j < out_width; ++j) {
      const double x =
          static_cast<double>(std::clamp<std::int64_t>(left + j, 0, width - 1)) - centre_col;
      // The forward map takes (x, y) to (cos x + sin y, -sin x + cos y); the source is its inverse.
      const double source_x = cosine * x - sine * y + centre_col;
      const double source_y = sine * x + cosine * y + centre_row;
      const double low_x = std::floor(source_x), low_y = std::floor(source_y);
      const auto share_x = static_cast<float>(source_x - low_x),
                 share_y = static_cast<float>(source_y - low_y);
      const auto at = [](double position, std::int64_t extent) {
        return std::clamp<std::int64_t>(static_cast<std::int64_t>(position), 0, extent - 1);
      };
      const std::int64_t x0 = at(low_x, width), x1 = at(low_x + 1, width), y0 = at(low_y, height),
                         y1 = at(low_y + 1, height);
      for (std::int64_t c = 0; c < patch.extent(1); ++c) {
        const float* plane = patch.data() + c * height * width;
        const float upper =
            (1 - share_x) * plane[y0 * width + x0] + share_x * plane[y0 * width + x1];
        const float lower =
            (1 - share_x) * plane[y1 * width + x0] + share_x * plane[y1 * width + x1];
        crop.data()[(c * out_height + i) * out_width + j] = (1 - share_y) * upper + share_y * lower;
      }
    }
  }
}

}  // namespace

std::vector<Augmentation> first_frame_augmentations(int crop_size, double shift_share,
                                                    RandomSource& random) {
  std::vector<Augmentation> list{{Kind::identity}};
  constexpr double translation = 0.6;  // of half the crop
  const int far = static_cast<int>(translation * crop_size / 2);
  for (const auto& [row, col] : {std::pair{far, far}, {-far, far}, {far, -far}, {-far, -far}}) {
    list.push_back({Kind::translation, row, col});
  }
  const auto add_shifted = [&](Augmentation augmentation) {
    const auto draw = [&] {
      return static_cast<int>((random.uniform() - 0.5) * crop_size * shift_share);
    };
    augmentation.shift_row = draw();
    augmentation.shift_col = draw();
    list.push_back(augmentation);
  };
  add_shifted({Kind::flip});
  for (const auto& [row, col] :
       {std::pair{2.0, 0.2}, {0.2, 2.0}, {3.0, 1.0}, {1.0, 3.0}, {2.0, 2.0}}) {
    add_shifted({Kind::blur, 0, 0, row, col});
  }
  for (const double angle :
       {5.0, -5.0, 10.0, -10.0, 20.0, -20.0, 30.0, -30.0, 45.0, -45.0, -60.0, 60.0}) {
    add_shifted({Kind::rotation, 0, 0, 0.0, 0.0, angle});
  }
  return list;
}

void augment(const Tensor<float>& patch, const Augmentation& augmentation, Tensor<float>& crop) {
  require<ShapeError>(patch.rank() == 4 && crop.rank() == 4 && patch.extent(0) == 1 &&
                          crop.extent(0) == 1 && patch.extent(1) == crop.extent(1) &&
                          patch.extent(2) >= crop.extent(2) && patch.extent(3) >= crop.extent(3),
                      "augment: patch ", patch.shape(), " and crop ", crop.shape(),
                      ": expected [1,C,S,S] and a smaller [1,C,s,s]");
  switch (augmentation.kind) {
    case Kind::identity:
    case Kind::translation:
      return cut_centre(patch, augmentation, crop);
    case Kind::flip:
      return cut_centre(flipped(patch), augmentation, crop);
    case Kind::blur:
      return cut_centre(blurred(patch, augmentation.sigma_row, augmentation.sigma_col),
                        augmentation, crop);
    case Kind::rotation:
      return rotate_and_cut(patch, augmentation, crop);
  }
}

}  // namespace atomtrack
