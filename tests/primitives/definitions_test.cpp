// SPDX-License-Identifier: MIT
// The reference backend judges the others; here it is judged by the definitions themselves, written
// down in another way or worked out by hand.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>

#include "support/conformance.hpp"

using namespace atomtrack;
using test::Bench;

namespace {

using Numbers = std::vector<double>;

Primitives<double>& reference() {
  return primitives_for<double>(Device::reference());
}

Tensor<double> tensor(const Shape& shape, const Numbers& values) {
  return Tensor<double>(shape, std::span<const double>(values), Device::reference());
}

Tensor<double> numbers(const std::string& name, const Shape& shape) {
  Bench<double> bench(Device::reference());
  return bench.source(name, shape).clone();
}

Tensor<double> empty(const Shape& shape) {
  return Tensor<double>(shape, Device::reference());
}

double inner(const Tensor<double>& a, const Tensor<double>& b) {
  double sum = 0.0;
  for (std::int64_t i = 0; i < a.numel(); ++i) sum += a.data()[i] * b.data()[i];
  return sum;
}

/// A map at whole cells, zero outside.
double cell(const Tensor<double>& map, std::int64_t n, std::int64_t c, std::int64_t i,
            std::int64_t j) {
  if (i < 0 || j < 0 || i >= map.extent(2) || j >= map.extent(3)) return 0.0;
  return map.data()[((n * map.extent(1) + c) * map.extent(2) + i) * map.extent(3) + j];
}

/// The bilinear interpolant of a map between its cells.
double interpolated(const Tensor<double>& map, std::int64_t n, std::int64_t c, double y, double x) {
  const auto i = static_cast<std::int64_t>(std::floor(y));
  const auto j = static_cast<std::int64_t>(std::floor(x));
  const double v = y - std::floor(y), u = x - std::floor(x);
  return (1 - v) * ((1 - u) * cell(map, n, c, i, j) + u * cell(map, n, c, i, j + 1)) +
         v * ((1 - u) * cell(map, n, c, i + 1, j) + u * cell(map, n, c, i + 1, j + 1));
}

/// The whole numbers strictly between two edges, and the edges: between neighbours the interpolant
/// is bilinear.
Numbers cuts(double low, double high) {
  Numbers positions{low};
  for (double whole = std::floor(low) + 1.0; whole < high; whole += 1.0) positions.push_back(whole);
  positions.push_back(high);
  return positions;
}

/// The mean of the interpolant over a rectangle: over each piece on which it is bilinear its
/// integral is the value at the middle times the area.
double mean_over(const Tensor<double>& map, std::int64_t n, std::int64_t c, double y0, double y1,
                 double x0, double x1) {
  const Numbers rows = cuts(y0, y1), columns = cuts(x0, x1);
  double integral = 0.0;
  for (std::size_t i = 0; i + 1 < rows.size(); ++i)
    for (std::size_t j = 0; j + 1 < columns.size(); ++j) {
      integral +=
          (rows[i + 1] - rows[i]) * (columns[j + 1] - columns[j]) *
          interpolated(map, n, c, (rows[i] + rows[i + 1]) / 2, (columns[j] + columns[j + 1]) / 2);
    }
  return integral / ((y1 - y0) * (x1 - x0));
}

const Shape features_shape{2, 3, 9, 11};
const PrRoiGeometry pooling{3, 2, 0.25};
// Inside, over a border, larger than the map, within a cell, outside, and a second image; no bin
// edge is on a whole cell.
const Numbers boxes{0, 5.25,  9.5,   27.25, 31.75,  //
                    1, -9.5,  -7.25, 13.5,  12.25,  //
                    0, -15.5, -11.5, 62.25, 53.0,   //
                    1, 10.5,  13.25, 11.75, 14.5,   //
                    0, -40.5, -40.5, -20.5, -20.5};

Tensor<double> pooled(const Tensor<double>& features, const Tensor<double>& rois) {
  Tensor<double> result = empty(prroi_pool_shape(features.shape(), rois.shape(), pooling));
  reference().prroi_pool(features, rois, pooling, result);
  return result;
}

Tensor<double> pooled_tangent(const Tensor<double>& features, const Tensor<double>& rois,
                              const Tensor<double>& tangent) {
  Tensor<double> result = empty(prroi_pool_shape(features.shape(), rois.shape(), pooling));
  reference().prroi_pool_tangent(features, rois, tangent, pooling, result);
  return result;
}

/// rois + step * direction, batch indices as they are.
Tensor<double> moved(const Tensor<double>& rois, const Tensor<double>& direction, double step) {
  Tensor<double> result = rois.clone();
  for (std::int64_t i = 0; i < rois.numel(); ++i) {
    if (i % 5 != 0) result.data()[i] += step * direction.data()[i];
  }
  return result;
}

/// The derivative at 0 of a smooth function of a step, by central differences of fourth order.
double slope_at_zero(const std::function<double(double)>& f) {
  const double h = 1e-3;
  return (8.0 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12.0 * h);
}

}  // namespace

TEST_CASE("conv2d is the sum of its definition, worked out by hand") {
  // A 2x3 image and a 2x2 filter; one column of padding on every side, every second position.
  const Tensor<double> x = tensor(Shape{1, 1, 2, 3}, {1, 2, 3, 4, 5, 6});
  const Tensor<double> w = tensor(Shape{1, 1, 2, 2}, {10, 20, 30, 40});
  Tensor<double> y = empty(Shape{1, 1, 2, 2});
  reference().conv2d(x, w, {2, 1}, y);
  // Windows at (-1,-1), (-1,1), (1,-1), (1,1).
  CHECK(y.to_vector() == Numbers{40 * 1, 30 * 2 + 40 * 3, 20 * 4, 10 * 5 + 20 * 6});

  Tensor<double> whole = empty(Shape{1, 1, 1, 2});
  reference().conv2d(x, w, {1, 0}, whole);
  CHECK(whole.to_vector() ==
        Numbers{10 * 1 + 20 * 2 + 30 * 4 + 40 * 5, 10 * 2 + 20 * 3 + 30 * 5 + 40 * 6});
}

TEST_CASE("conv2d sums over input channels and keeps images and output channels apart") {
  const Tensor<double> x = tensor(Shape{2, 2, 1, 1}, {1, 2, 3, 4});
  const Tensor<double> w = tensor(Shape{3, 2, 1, 1}, {1, 10, 100, 1000, 5, 7});
  Tensor<double> y = empty(Shape{2, 3, 1, 1});
  reference().conv2d(x, w, {1, 0}, y);
  CHECK(y.to_vector() == Numbers{21, 2100, 19, 43, 4300, 43});
}

TEST_CASE("conv2d's adjoints satisfy <conv2d(x, w), gy> = <x, gx> = <w, gw>") {
  for (const Conv2dGeometry geometry : {Conv2dGeometry{1, 0}, {1, 2}, {2, 1}, {3, 4}}) {
    const Tensor<double> x = numbers("x", Shape{2, 3, 7, 8}), w = numbers("w", Shape{4, 3, 3, 4});
    Tensor<double> y = empty(conv2d_shape(x.shape(), w.shape(), geometry));
    const Tensor<double> gy = numbers("gy", y.shape());
    Tensor<double> gx = empty(x.shape()), gw = empty(w.shape());
    reference().conv2d(x, w, geometry, y);
    reference().conv2d_data_adjoint(gy, w, geometry, Write::overwrite, gx);
    reference().conv2d_filter_adjoint(gy, x, geometry, Write::overwrite, gw);
    CHECK(inner(x, gx) == doctest::Approx(inner(y, gy)).epsilon(1e-12));
    CHECK(inner(w, gw) == doctest::Approx(inner(y, gy)).epsilon(1e-12));
  }
}

TEST_CASE("pooling by hand") {
  const Tensor<double> x = tensor(Shape{1, 1, 3, 3}, {1, 8, 3, -4, 5, -6, 7, 2, 9});
  Tensor<double> y = empty(Shape{1, 1, 2, 2});
  Tensor<std::int32_t> indices(y.shape(), Device::reference());
  reference().max_pool2d(x, {3, 2, 1}, y, indices);  // windows of 2x2 at the corners
  CHECK(y.to_vector() == Numbers{8, 8, 7, 9});
  CHECK(indices.to_vector() == std::vector<std::int32_t>{1, 1, 6, 8});

  reference().average_pool2d(x, {3, 2, 1}, y);  // the same windows, divided by nine
  CHECK(y.data()[0] == doctest::Approx((1 + 8 - 4 + 5) / 9.0));
  CHECK(y.data()[3] == doctest::Approx((5 - 6 + 2 + 9) / 9.0));

  const Tensor<double> gy = numbers("gy", y.shape());
  Tensor<double> gx = empty(x.shape());
  reference().average_pool2d_adjoint(gy, {3, 2, 1}, Write::overwrite, gx);
  CHECK(inner(x, gx) == doctest::Approx(inner(y, gy)).epsilon(1e-13));
}

TEST_CASE("gemm by hand, with each transposition") {
  const Tensor<double> a = tensor(Shape{2, 3}, {1, 2, 3, 4, 5, 6});
  const Tensor<double> b = tensor(Shape{3, 2}, {7, 8, 9, 10, 11, 12});
  const Tensor<double> a_transposed = tensor(Shape{3, 2}, {1, 4, 2, 5, 3, 6});
  const Tensor<double> b_transposed = tensor(Shape{2, 3}, {7, 9, 11, 8, 10, 12});
  const Numbers product{58, 64, 139, 154};
  Tensor<double> c = empty(Shape{2, 2});
  reference().gemm(false, false, a, b, Write::overwrite, c);
  CHECK(c.to_vector() == product);
  reference().gemm(true, false, a_transposed, b, Write::overwrite, c);
  CHECK(c.to_vector() == product);
  reference().gemm(false, true, a, b_transposed, Write::overwrite, c);
  CHECK(c.to_vector() == product);
  reference().gemm(true, true, a_transposed, b_transposed, Write::accumulate, c);
  CHECK(c.to_vector() == Numbers{116, 128, 278, 308});
}

TEST_CASE("layout by hand") {
  const Tensor<double> x = tensor(Shape{2, 3}, {1, 2, 3, 4, 5, 6});
  Tensor<double> transposed = empty(Shape{3, 2});
  reference().permute(x, std::vector<int>{1, 0}, transposed);
  CHECK(transposed.to_vector() == Numbers{1, 4, 2, 5, 3, 6});

  Tensor<double> block = Tensor<double>::zeros(Shape{3, 3}, Device::reference());
  reference().copy_block(x, Shape{0, 1}, Write::overwrite, block, Shape{1, 0}, Shape{2, 2});
  CHECK(block.to_vector() == Numbers{0, 0, 0, 2, 3, 0, 5, 6, 0});

  const Tensor<std::int32_t> indices(Shape{4}, {5, 0, 0, 2}, Device::reference());
  Tensor<double> picked = empty(Shape{4});
  reference().gather(x, indices, picked);
  CHECK(picked.to_vector() == Numbers{6, 1, 1, 3});
  Tensor<double> scattered = empty(Shape{2, 3});
  reference().scatter_add(picked, indices, Write::overwrite, scattered);
  CHECK(scattered.to_vector() == Numbers{2, 0, 3, 0, 0, 6});
}

TEST_CASE("broadcasting and sums by hand") {
  const Tensor<double> rows = tensor(Shape{2, 1}, {10, 20});
  const Tensor<double> columns = tensor(Shape{3}, {1, 2, 3});
  Tensor<double> table = empty(Shape{2, 3});
  reference().combine(Combination::subtract, rows, columns, table);
  CHECK(table.to_vector() == Numbers{9, 8, 7, 19, 18, 17});
  Tensor<double> by_column = empty(Shape{3}), by_row = empty(Shape{2, 1}), all = empty(Shape{});
  reference().reduce_sum(table, Write::overwrite, by_column);
  reference().reduce_sum(table, Write::overwrite, by_row);
  reference().reduce_sum(table, Write::overwrite, all);
  CHECK(by_column.to_vector() == Numbers{28, 26, 24});
  CHECK(by_row.to_vector() == Numbers{24, 54});
  CHECK(all.item() == 78);

  const Tensor<double> zeros = tensor(Shape{3}, {0, 2, 0});
  Tensor<double> quotient = empty(Shape{3});
  reference().combine(Combination::divide_or_zero, columns, zeros, quotient);
  CHECK(quotient.to_vector() == Numbers{0, 1, 0});
}

TEST_CASE("dot, axpy and xpby by hand") {
  const Tensor<double> x = tensor(Shape{3}, {1, 2, 3});
  Tensor<double> y = tensor(Shape{3}, {10, 20, 30});
  const Tensor<double> half = Tensor<double>::scalar(0.5, Device::reference());
  Tensor<double> result = Tensor<double>::scalar(1.0, Device::reference());
  reference().dot(x, y, Write::accumulate, result);
  CHECK(result.item() == 141);
  reference().axpy(-2.0, half, x, y);
  CHECK(y.to_vector() == Numbers{9, 18, 27});
  reference().xpby(x, half, y);
  CHECK(y.to_vector() == Numbers{5.5, 11, 16.5});
}

TEST_CASE("PrRoIPool is the mean of the bilinear interpolant over each bin") {
  const Tensor<double> features = numbers("features", features_shape);
  const Tensor<double> rois = tensor(Shape{5, 5}, boxes);
  const Tensor<double> result = pooled(features, rois);
  std::size_t at = 0;
  double largest_gap = 0.0;
  for (std::int64_t k = 0; k < 5; ++k) {
    const double* roi = rois.data() + 5 * k;
    const double scale = pooling.spatial_scale;
    const double height = (roi[4] - roi[2]) * scale / pooling.pooled_height;
    const double width = (roi[3] - roi[1]) * scale / pooling.pooled_width;
    for (std::int64_t c = 0; c < 3; ++c)
      for (int p = 0; p < pooling.pooled_height; ++p)
        for (int q = 0; q < pooling.pooled_width; ++q, ++at) {
          const double y = roi[2] * scale + p * height, x = roi[1] * scale + q * width;
          const double expected = mean_over(features, static_cast<std::int64_t>(roi[0]), c, y,
                                            y + height, x, x + width);
          largest_gap = std::max(largest_gap, std::abs(result.data()[at] - expected));
        }
  }
  CHECK(at == static_cast<std::size_t>(result.numel()));
  CHECK(largest_gap < 1e-14);
}

TEST_CASE("PrRoIPool of a constant is that constant inside the map, and nothing is left outside") {
  const Tensor<double> features = Tensor<double>::full(features_shape, 2.5, Device::reference());
  const Tensor<double> result = pooled(features, tensor(Shape{5, 5}, boxes));
  for (int i = 0; i < 18; ++i) CHECK(result.data()[i] == doctest::Approx(2.5).epsilon(1e-14));
  for (std::int64_t i = 4 * 18; i < 5 * 18; ++i) CHECK(result.data()[i] == 0.0);
}

TEST_CASE("PrRoIPool's adjoint in the features satisfies <P F, G> = <F, P' G>") {
  const Tensor<double> features = numbers("features", features_shape);
  const Tensor<double> rois = tensor(Shape{5, 5}, boxes);
  const Tensor<double> result = pooled(features, rois);
  const Tensor<double> given = numbers("given", result.shape());
  Tensor<double> adjoint = empty(features_shape);
  reference().prroi_pool_adjoint(given, rois, pooling, Write::overwrite, adjoint);
  CHECK(inner(features, adjoint) == doctest::Approx(inner(result, given)).epsilon(1e-13));
}

TEST_CASE("PrRoIPool's box gradient is the derivative of <G, P(F, B)> in every coordinate") {
  const Tensor<double> features = numbers("features", features_shape);
  const Tensor<double> rois = tensor(Shape{5, 5}, boxes);
  const Tensor<double> given = numbers("given", pooled(features, rois).shape());
  Tensor<double> gradient = empty(rois.shape());
  reference().prroi_pool_roi_gradient(features, rois, given, pooling, gradient);
  for (std::int64_t i = 0; i < rois.numel(); ++i) {
    CAPTURE(i);
    if (i % 5 == 0) {
      CHECK(gradient.data()[i] == 0.0);
      continue;
    }
    Tensor<double> direction = Tensor<double>::zeros(rois.shape(), Device::reference());
    direction.data()[i] = 1.0;
    const double expected = slope_at_zero(
        [&](double step) { return inner(pooled(features, moved(rois, direction, step)), given); });
    CHECK(gradient.data()[i] == doctest::Approx(expected).epsilon(1e-9));
  }
}

TEST_CASE("PrRoIPool's tangent is the derivative of P(F, B) along a direction") {
  const Tensor<double> features = numbers("features", features_shape);
  const Tensor<double> rois = tensor(Shape{5, 5}, boxes);
  const Tensor<double> direction = numbers("direction", rois.shape());
  const Tensor<double> tangent = pooled_tangent(features, rois, direction);
  double largest_gap = 0.0;
  for (std::int64_t i = 0; i < tangent.numel(); ++i) {
    const double expected = slope_at_zero(
        [&](double step) { return pooled(features, moved(rois, direction, step)).data()[i]; });
    largest_gap = std::max(largest_gap, std::abs(tangent.data()[i] - expected));
  }
  CHECK(largest_gap < 1e-10);

  const Tensor<double> given = numbers("given", tangent.shape());
  Tensor<double> adjoint = empty(features_shape);
  reference().prroi_pool_tangent_adjoint(given, rois, direction, pooling, Write::overwrite,
                                         adjoint);
  CHECK(inner(features, adjoint) == doctest::Approx(inner(tangent, given)).epsilon(1e-12));
}

TEST_CASE(
    "PrRoIPool's second derivative is the derivative of <G, Q(F, B; V)> in every coordinate") {
  const Tensor<double> features = numbers("features", features_shape);
  const Tensor<double> rois = tensor(Shape{5, 5}, boxes);
  const Tensor<double> direction = numbers("direction", rois.shape());
  const Tensor<double> given = numbers("given", pooled(features, rois).shape());
  Tensor<double> gradient = empty(rois.shape());
  reference().prroi_pool_tangent_roi_gradient(features, rois, direction, given, pooling, gradient);
  double largest = 0.0;
  for (const double value : gradient.to_vector()) largest = std::max(largest, std::abs(value));
  for (std::int64_t i = 0; i < rois.numel(); ++i) {
    if (i % 5 == 0) continue;
    CAPTURE(i);
    Tensor<double> axis = Tensor<double>::zeros(rois.shape(), Device::reference());
    axis.data()[i] = 1.0;
    const double expected = slope_at_zero([&](double step) {
      return inner(pooled_tangent(features, moved(rois, axis, step), direction), given);
    });
    CHECK(std::abs(gradient.data()[i] - expected) < 1e-9 * largest);
  }
}

TEST_CASE("crop_resize is the window cut out with a repeated border, then resized") {
  const Tensor<double> image = numbers("image", Shape{1, 2, 13, 17});
  const CropWindow windows[] = {{2, 3, 7, 9, 1, 0, 0},
                                {-4, -5, 9, 8, 1, 0, 0},
                                {9, 12, 8, 11, 1, 0, 0},
                                {-1, 1, 6, 7, 2, 1, 0},
                                {1, 2, 4, 9, 3, 2, 1}};
  const std::int64_t height = 5, width = 10;
  for (const CropWindow& window : windows) {
    CAPTURE(window.top);
    // What is seen: every step-th pixel; then the window, its outside repeating the border.
    const std::int64_t rows = (13 - window.offset_y + window.step - 1) / window.step;
    const std::int64_t columns = (17 - window.offset_x + window.step - 1) / window.step;
    const auto cut = [&](std::int64_t c, std::int64_t i, std::int64_t j) {
      const std::int64_t row = std::clamp<std::int64_t>(window.top + i, 0, rows - 1);
      const std::int64_t column = std::clamp<std::int64_t>(window.left + j, 0, columns - 1);
      return cell(image, 0, c, window.offset_y + window.step * row,
                  window.offset_x + window.step * column);
    };
    Tensor<double> result = empty(Shape{1, 2, height, width});
    reference().crop_resize(image, std::span(&window, 1), result);
    double largest_gap = 0.0;
    for (std::int64_t c = 0; c < 2; ++c)
      for (std::int64_t i = 0; i < height; ++i)
        for (std::int64_t j = 0; j < width; ++j) {
          const auto position = [](std::int64_t at, std::int64_t size, std::int64_t count) {
            const double exact = (static_cast<double>(at) + 0.5) * static_cast<double>(size) /
                                     static_cast<double>(count) -
                                 0.5;
            return std::clamp(exact, 0.0, static_cast<double>(size - 1));
          };
          const double y = position(i, window.height, height), x = position(j, window.width, width);
          const auto r = static_cast<std::int64_t>(y), s = static_cast<std::int64_t>(x);
          const double v = y - static_cast<double>(r), u = x - static_cast<double>(s);
          const std::int64_t r1 = std::min(r + 1, window.height - 1);
          const std::int64_t s1 = std::min(s + 1, window.width - 1);
          const double expected = (1 - v) * ((1 - u) * cut(c, r, s) + u * cut(c, r, s1)) +
                                  v * ((1 - u) * cut(c, r1, s) + u * cut(c, r1, s1));
          largest_gap = std::max(largest_gap, std::abs(cell(result, 0, c, i, j) - expected));
        }
    CHECK(largest_gap < 1e-14);

    const Tensor<double> given = numbers("given", result.shape());
    Tensor<double> adjoint = empty(image.shape());
    reference().crop_resize_adjoint(given, std::span(&window, 1), Write::overwrite, adjoint);
    CHECK(inner(image, adjoint) == doctest::Approx(inner(result, given)).epsilon(1e-13));
  }
}

TEST_CASE("crop_resize_frame is crop_resize of the planes, scaled per channel") {
  Bench<double> bench(Device::reference());
  const Tensor<std::uint8_t> frame = bench.byte_source("frame", Shape{9, 12, 3});
  Tensor<double> planes = empty(Shape{1, 3, 9, 12});
  for (std::int64_t c = 0; c < 3; ++c)
    for (std::int64_t i = 0; i < 9 * 12; ++i)
      planes.data()[c * 9 * 12 + i] = static_cast<double>(frame.data()[i * 3 + c]);
  const CropWindow window{-2, 3, 8, 7, 1, 0, 0};
  const Numbers offset{10, 20, 30}, scale{0.5, 0.25, 2};
  Tensor<double> direct = empty(Shape{1, 3, 6, 6}), from_planes = empty(Shape{1, 3, 6, 6});
  reference().crop_resize_frame(frame, window, std::span<const double>(offset),
                                std::span<const double>(scale), direct);
  reference().crop_resize(planes, std::span(&window, 1), from_planes);
  for (std::int64_t i = 0; i < direct.numel(); ++i) {
    const auto c = static_cast<std::size_t>(i / 36);
    CHECK(direct.data()[i] ==
          doctest::Approx((from_planes.data()[i] - offset[c]) * scale[c]).epsilon(1e-13));
  }
}
