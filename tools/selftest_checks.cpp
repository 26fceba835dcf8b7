// SPDX-License-Identifier: MIT
#include "tools/selftest_checks.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>

#include "atomtrack/autodiff/operations.hpp"
#include "atomtrack/primitives/primitives.hpp"
#include "atomtrack/tensor/random.hpp"

namespace atomtrack::tools {
namespace {

template <class T>
Tensor<T> drawn(const Shape& shape, RandomSource& random, Device device) {
  std::vector<T> values(static_cast<std::size_t>(shape.numel()));
  // Through float, so that both precisions compute on the same numbers.
  for (T& value : values) value = static_cast<T>(static_cast<float>(random.uniform(-1.0, 1.0)));
  return Tensor<T>(shape, std::span<const T>(values), device);
}

/// Boxes within a map of 288 pixels, one row per roi.
template <class T>
Tensor<T> drawn_rois(std::int64_t count, RandomSource& random, Device device) {
  std::vector<T> values;
  for (std::int64_t k = 0; k < count; ++k) {
    const double x = random.uniform(-20, 180), y = random.uniform(-20, 180);
    for (const double v : {0.0, x, y, x + random.uniform(20, 120), y + random.uniform(20, 120)})
      values.push_back(static_cast<T>(static_cast<float>(v)));
  }
  return Tensor<T>(Shape{count, 5}, std::span<const T>(values), device);
}

/// A call of primitives that gives one tensor, in either precision. `seed` fixes its arguments.
struct PrimitiveCase {
  std::string name;
  double allowed;
  std::function<Tensor<float>(Primitives<float>&, Device)> single;
  std::function<Tensor<double>(Primitives<double>&, Device)> precise;
};

/// One generic call, as both of its instances.
template <class Call>
PrimitiveCase primitive_case(std::string name, double allowed, Call call) {
  return {std::move(name), allowed,
          [call](Primitives<float>& p, Device device) { return call(p, device, float{}); },
          [call](Primitives<double>& p, Device device) { return call(p, device, double{}); }};
}

constexpr Conv2dGeometry geometry{1, 1};
constexpr PrRoiGeometry pooling{5, 5, 1.0 / 8};
const Shape map_shape{1, 64, 36, 36};
constexpr std::int64_t rois = 10;

std::vector<PrimitiveCase> elementary_cases() {
  std::vector<PrimitiveCase> cases;
  cases.push_back(primitive_case("map pelu", 1e-6, [](auto& p, Device device, auto t) {
    using T = decltype(t);
    RandomSource random(1);
    const Tensor<T> x = drawn<T>({1, 64, 18, 18}, random, device);
    Tensor<T> y(x.shape(), device);
    p.map({MapKind::pelu, 0.05}, x, y);
    return y;
  }));
  cases.push_back(primitive_case("combine, broadcast", 1e-6, [](auto& p, Device device, auto t) {
    using T = decltype(t);
    RandomSource random(2);
    const Tensor<T> x = drawn<T>({4, 64, 18, 18}, random, device);
    const Tensor<T> b = drawn<T>({1, 64, 1, 1}, random, device);
    Tensor<T> y(x.shape(), device);
    p.combine(Combination::multiply, x, b, y);
    return y;
  }));
  cases.push_back(primitive_case("reduce_sum", 1e-5, [](auto& p, Device device, auto t) {
    using T = decltype(t);
    RandomSource random(3);
    const Tensor<T> x = drawn<T>({4, 64, 36, 36}, random, device);
    Tensor<T> y(Shape{1, 64, 1, 1}, device);
    p.reduce_sum(x, Write::overwrite, y);
    return y;
  }));
  cases.push_back(primitive_case("permute", 0.0, [](auto& p, Device device, auto t) {
    using T = decltype(t);
    RandomSource random(4);
    const Tensor<T> x = drawn<T>({3, 5, 7, 11}, random, device);
    Tensor<T> y(Shape{11, 3, 7, 5}, device);
    const int order[] = {3, 0, 2, 1};
    p.permute(x, order, y);
    return y;
  }));
  cases.push_back(primitive_case("gemm", 1e-5, [](auto& p, Device device, auto t) {
    using T = decltype(t);
    RandomSource random(5);
    const Tensor<T> a = drawn<T>({10, 6400}, random, device);
    const Tensor<T> b = drawn<T>({256, 6400}, random, device);
    Tensor<T> c(Shape{10, 256}, device);
    p.gemm(false, true, a, b, Write::overwrite, c);
    return c;
  }));
  cases.push_back(primitive_case("max_pool2d", 0.0, [](auto& p, Device device, auto t) {
    using T = decltype(t);
    RandomSource random(6);
    const Tensor<T> x = drawn<T>({1, 16, 72, 72}, random, device);
    Tensor<T> y(Shape{1, 16, 36, 36}, device);
    Tensor<std::int32_t> indices(y.shape(), device);
    p.max_pool2d(x, {3, 2, 1}, y, indices);
    return y;
  }));
  return cases;
}

std::vector<PrimitiveCase> convolution_cases() {
  std::vector<PrimitiveCase> cases;
  cases.push_back(primitive_case("conv2d", 1e-5, [](auto& p, Device device, auto t) {
    using T = decltype(t);
    RandomSource random(7);
    const Tensor<T> x = drawn<T>({2, 64, 18, 18}, random, device);
    const Tensor<T> w = drawn<T>({64, 64, 3, 3}, random, device);
    Tensor<T> y(Shape{2, 64, 18, 18}, device);
    p.conv2d(x, w, geometry, y);
    return y;
  }));
  cases.push_back(primitive_case("conv2d_data_adjoint", 1e-5, [](auto& p, Device device, auto t) {
    using T = decltype(t);
    RandomSource random(8);
    const Tensor<T> gy = drawn<T>({2, 64, 18, 18}, random, device);
    const Tensor<T> w = drawn<T>({64, 64, 3, 3}, random, device);
    Tensor<T> gx(Shape{2, 64, 18, 18}, device);
    p.conv2d_data_adjoint(gy, w, geometry, Write::overwrite, gx);
    return gx;
  }));
  cases.push_back(primitive_case("conv2d_filter_adjoint", 1e-5, [](auto& p, Device device, auto t) {
    using T = decltype(t);
    RandomSource random(9);
    const Tensor<T> gy = drawn<T>({2, 64, 18, 18}, random, device);
    const Tensor<T> x = drawn<T>({2, 64, 18, 18}, random, device);
    Tensor<T> gw(Shape{64, 64, 3, 3}, device);
    p.conv2d_filter_adjoint(gy, x, geometry, Write::overwrite, gw);
    return gw;
  }));
  return cases;
}

std::vector<PrimitiveCase> image_cases() {
  std::vector<PrimitiveCase> cases;
  cases.push_back(primitive_case("prroi_pool", 1e-5, [](auto& p, Device device, auto t) {
    using T = decltype(t);
    RandomSource random(10);
    const Tensor<T> map = drawn<T>(map_shape, random, device);
    const Tensor<T> boxes = drawn_rois<T>(rois, random, device);
    Tensor<T> pooled(Shape{rois, 64, 5, 5}, device);
    p.prroi_pool(map, boxes, pooling, pooled);
    return pooled;
  }));
  cases.push_back(primitive_case("prroi_pool_adjoint", 1e-5, [](auto& p, Device device, auto t) {
    using T = decltype(t);
    RandomSource random(11);
    const Tensor<T> gradient = drawn<T>({rois, 64, 5, 5}, random, device);
    const Tensor<T> boxes = drawn_rois<T>(rois, random, device);
    Tensor<T> map(map_shape, device);
    p.prroi_pool_adjoint(gradient, boxes, pooling, Write::overwrite, map);
    return map;
  }));
  cases.push_back(primitive_case("prroi_pool_roi_gradient", 1e-4, [](auto& p, Device d, auto t) {
    using T = decltype(t);
    RandomSource random(12);
    const Tensor<T> map = drawn<T>(map_shape, random, d);
    const Tensor<T> boxes = drawn_rois<T>(rois, random, d);
    const Tensor<T> gradient = drawn<T>({rois, 64, 5, 5}, random, d);
    Tensor<T> result(boxes.shape(), d);
    p.prroi_pool_roi_gradient(map, boxes, gradient, pooling, result);
    return result;
  }));
  // Noise makes the most of a position's rounding, and positions reach 400.
  cases.push_back(primitive_case("crop_resize_frame", 3e-4, [](auto& p, Device device, auto t) {
    using T = decltype(t);
    RandomSource random(13);
    std::vector<std::uint8_t> bytes(480 * 640 * 3);
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random.bits());
    const Tensor<std::uint8_t> frame(Shape{480, 640, 3}, std::span<const std::uint8_t>(bytes),
                                     device);
    const T offset[] = {T(124), T(116), T(104)}, scale[] = {T(0.017), T(0.018), T(0.0174)};
    Tensor<T> crop(Shape{1, 3, 288, 288}, device);
    p.crop_resize_frame(frame, {-30, 100, 400, 400}, offset, scale, crop);
    return crop;
  }));
  // Five score maps; values that float and double hold alike, so that positions agree too.
  cases.push_back(primitive_case("two_peaks", 0.0, [](auto& p, Device device, auto t) {
    using T = decltype(t);
    RandomSource random(14);
    std::vector<T> values(5 * 288 * 288);
    for (T& value : values) value = static_cast<T>(random.bits() % 65536) / T(65536);
    const Tensor<T> maps(Shape{5, 288, 288}, std::span<const T>(values), device);
    const Tensor<double> sizes = Tensor<double>::full(Shape{5, 2}, 127.0, device);
    Tensor<T> peaks(Shape{5, 6}, device);
    p.two_peaks(maps, sizes, peaks);
    return peaks;
  }));
  return cases;
}

template <class T>
double largest(const std::vector<T>& values) {
  double most = 0.0;
  for (const T value : values) most = std::max(most, std::abs(static_cast<double>(value)));
  return most;
}

double difference(const std::vector<float>& came, const std::vector<double>& expected) {
  double worst = 0.0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double off = std::abs(static_cast<double>(came[i]) - expected[i]);
    if (std::isnan(off)) return off;
    worst = std::max(worst, off);
  }
  return worst / std::max(1e-30, largest(expected));
}

/// A scalar function of tensors, and where its derivative is taken.
struct GradientCase {
  std::string name;
  std::vector<Tensor<double>> at;
  std::function<Variable<double>(const std::vector<Variable<double>>&)> f;
};

std::vector<GradientCase> gradient_cases_on(Device device) {
  RandomSource random(14);
  const auto tensor = [&](const Shape& shape) { return drawn<double>(shape, random, device); };
  std::vector<GradientCase> cases;
  cases.push_back({"classifier: conv 1x1, conv 4x4, pelu",
                   {tensor({2, 16, 10, 10}), tensor({4, 16, 1, 1}), tensor({1, 4, 4, 4})},
                   [](const auto& v) {
                     return sum(square(pelu(conv2d_same(conv2d(v[0], v[1]), v[2]), 0.05)));
                   }});
  std::vector<double> boxes;
  for (int k = 0; k < 3; ++k)
    for (const double value : {0.0, 21.3 + 7 * k, 33.7 - 5 * k, 90.1 + 11 * k, 121.9 - 3 * k})
      boxes.push_back(value);
  const Tensor<double> rois_at(Shape{3, 5}, std::span<const double>(boxes), device);
  cases.push_back(
      {"prroi_pool in map and boxes", {tensor({1, 8, 20, 20}), rois_at}, [](const auto& v) {
         return sum(square(prroi_pool(v[0], v[1], {3, 3, 1.0 / 8})));
       }});
  cases.push_back({"a gradient of a gradient: |d|r|^2/dw|^2",
                   {tensor({2, 4, 10, 10}), tensor({1, 4, 4, 4})},
                   [](const auto& v) {
                     const Variable<double> w =
                         v[1].needs_gradient() ? v[1] : Variable<double>::leaf(v[1].value());
                     const Variable<double> r = pelu(conv2d_same(v[0], w), 0.05);
                     return sum(square(backprop(sum(square(r)), w, Differentiable::yes)));
                   }});
  return cases;
}

}  // namespace

std::vector<Comparison> compare_primitives(Device device) {
  std::vector<PrimitiveCase> cases = elementary_cases();
  for (auto more : {convolution_cases(), image_cases()})
    cases.insert(cases.end(), more.begin(), more.end());
  std::vector<Comparison> comparisons;
  for (const PrimitiveCase& one : cases) {
    const std::vector<double> expected =
        one.precise(primitives_for<double>(Device::reference()), Device::reference()).to_vector();
    Primitives<float>& primitives = primitives_for<float>(device);
    const std::vector<float> came = one.single(primitives, device).to_vector();
    const std::vector<float> again = one.single(primitives, device).to_vector();
    const bool same = std::memcmp(came.data(), again.data(), came.size() * sizeof(float)) == 0;
    comparisons.push_back({one.name, difference(came, expected), one.allowed});
    if (!same)
      comparisons.push_back(
          {one.name + ", the same bits twice", std::numeric_limits<double>::infinity(), 0.0});
  }
  return comparisons;
}

std::vector<Comparison> compare_gradients(Device device) {
  constexpr double step = 1e-6, allowed = 1e-6;
  std::vector<Comparison> comparisons;
  for (const GradientCase& one : gradient_cases_on(device)) {
    std::vector<Variable<double>> leaves;
    for (const Tensor<double>& tensor : one.at) leaves.push_back(Variable<double>::leaf(tensor));
    const std::vector<Variable<double>> gradients =
        backprop(one.f(leaves), std::span<const Variable<double>>(leaves), Differentiable::no);
    RandomSource random(15);
    double expected = 0.0;
    std::vector<Variable<double>> ahead, behind;
    for (std::size_t i = 0; i < one.at.size(); ++i) {
      std::vector<double> position = one.at[i].to_vector(), back = position;
      const std::vector<double> gradient = gradients[i].value().to_vector();
      for (std::size_t j = 0; j < position.size(); ++j) {
        const bool index = one.at[i].rank() == 2 && j % 5 == 0;  // a roi's image does not move
        const double direction = index ? 0.0 : random.uniform(-1.0, 1.0);
        expected += gradient[j] * direction;
        position[j] += step * direction;
        back[j] -= step * direction;
      }
      const Shape& shape = one.at[i].shape();
      ahead.emplace_back(Tensor<double>(shape, std::span<const double>(position), device));
      behind.emplace_back(Tensor<double>(shape, std::span<const double>(back), device));
    }
    const double numeric =
        (one.f(ahead).value().item() - one.f(behind).value().item()) / (2 * step);
    comparisons.push_back(
        {one.name, std::abs(numeric - expected) / std::max(1.0, std::abs(numeric)), allowed});
  }
  return comparisons;
}

}  // namespace atomtrack::tools
