// SPDX-License-Identifier: MIT
#include "cuda_on_host/whole_backend.hpp"

#include <thread>

#include "atomtrack/primitives/hardware.hpp"
#include "atomtrack/primitives/primitives.hpp"
#include "atomtrack/tensor/memory.hpp"
#include "atomtrack/tensor/random.hpp"
#include "atomtrack/tensor/recording.hpp"

namespace cuda_on_host {
namespace {

using namespace atomtrack;

/// Runs primitives one after another and keeps what they give.
template <class T>
class Tour {
 public:
  Tour() : p_(primitives_for<T>(gpu_)) {}

  std::vector<double> run() {
    elementary();
    rearranging();
    products();
    features();
    pooling();
    images();
    return std::move(seen_);
  }

 private:
  Tensor<T> drawn(const Shape& shape, double low = -1.0, double high = 1.0) {
    std::vector<T> values(static_cast<std::size_t>(shape.numel()));
    for (T& value : values) value = static_cast<T>(random_.uniform(low, high));
    return Tensor<T>(shape, std::span<const T>(values), gpu_);
  }
  Tensor<T> room(const Shape& shape) { return Tensor<T>::zeros(shape, gpu_); }

  template <class U>
  void see(const Tensor<U>& result) {
    for (const U value : result.to_vector()) seen_.push_back(static_cast<double>(value));
  }

  void elementary() {
    const Tensor<T> x = drawn({2, 3, 4}), other = drawn({2, 3, 4});
    Tensor<T> y = room({2, 3, 4});
    p_.fill(T{3}, y);
    see(y);
    p_.copy(x, y);
    see(y);
    p_.map({MapKind::relu}, x, y);
    see(y);
    p_.combine(Combination::add, x, other, y);
    see(y);
    Tensor<T> of_rows = room({2, 3, 1});
    p_.reduce_sum(x, Write::overwrite, of_rows);
    see(of_rows);
    const Tensor<T> tall = drawn({2000, 2});  // enough to be split over blocks
    for (const Shape& kept : {Shape{1, 2}, Shape{1, 1}}) {
      Tensor<T> sums = room(kept);
      p_.reduce_sum(tall, Write::overwrite, sums);
      see(sums);
    }
    Tensor<double> product = Tensor<double>::zeros(Shape{}, gpu_);
    p_.dot(tall, tall, Write::overwrite, product);
    p_.dot(x, other, Write::accumulate, product);
    see(product);
    p_.axpy(0.5, product, x, y);
    p_.xpby(x, product, y);
    see(y);
  }

  void rearranging() {
    const Tensor<T> x = drawn({2, 3, 4});
    Tensor<T> y = room({4, 2, 3}), part = room({1, 2, 3}), picked = room({5}), spread = room({24});
    const int order[] = {2, 0, 1};
    p_.permute(x, order, y);
    see(y);
    p_.copy_block(x, Shape{1, 0, 1}, Write::overwrite, part, Shape{0, 0, 0}, Shape{1, 2, 3});
    see(part);
    const std::vector<std::int32_t> places{3, 1, 20, 3, 7};
    const Tensor<std::int32_t> indices(Shape{5}, std::span<const std::int32_t>(places), gpu_);
    p_.gather(x.reshape(Shape{24}), indices, picked);
    see(picked);
    p_.scatter_add(picked, indices, Write::overwrite, spread);
    see(spread);
  }

  void products() {
    const Tensor<T> a = drawn({3, 4}), b = drawn({4, 5});
    Tensor<T> c = room({3, 5});
    p_.gemm(false, false, a, b, Write::overwrite, c);
    see(c);
    constexpr Conv2dGeometry geometry{1, 1};
    const Tensor<T> x = drawn({1, 2, 5, 5}), w = drawn({3, 2, 3, 3});
    Tensor<T> y = room({1, 3, 5, 5}), gx = room(x.shape()), gw = room(w.shape());
    p_.conv2d(x, w, geometry, y);
    see(y);
    p_.conv2d_data_adjoint(y, w, geometry, Write::overwrite, gx);
    see(gx);
    p_.conv2d_filter_adjoint(y, x, geometry, Write::overwrite, gw);
    see(gw);
  }

  /// A step that is fused and one that is not.
  void features() {
    FeatureProgram<T> program;
    program.input = Shape{2, 6, 6};
    using Step = typename FeatureProgram<T>::Step;
    for (const bool relu : {true, false}) {
      const std::int64_t channels = relu ? 4 : 5;
      Step step;
      step.input = program.steps.size();
      step.filter = drawn({channels, relu ? 2 : 4, 3, 3});
      step.bias = drawn({channels});
      step.geometry = {1, 1};
      step.relu = relu;
      program.steps.push_back(step);
    }
    program.outputs = {1, 2};
    std::vector<Tensor<T>> outputs{room({2, 4, 6, 6}), room({2, 5, 6, 6})};
    const auto compiled = p_.compile(program);
    const Tensor<T> input = drawn({2, 2, 6, 6});
    for (int i = 0; i < 3; ++i) compiled->run(input, outputs);  // recorded in the second run
    for (const Tensor<T>& output : outputs) see(output);
  }

  void pooling() {
    const Tensor<T> x = drawn({1, 2, 8, 8});
    Tensor<T> y = room({1, 2, 4, 4}), gx = room(x.shape());
    Tensor<std::int32_t> indices(y.shape(), gpu_);
    p_.max_pool2d(x, {3, 2, 1}, y, indices);
    see(y);
    p_.average_pool2d(x, {3, 2, 1}, y);
    see(y);
    p_.average_pool2d_adjoint(y, {3, 2, 1}, Write::overwrite, gx);
    see(gx);

    constexpr PrRoiGeometry bins{2, 2, 0.5};
    const std::vector<T> box{0, T(1.3), T(2.1), T(9.7), T(12.4)};
    const Tensor<T> rois(Shape{1, 5}, std::span<const T>(box), gpu_), move = drawn({1, 5});
    Tensor<T> pooled = room({1, 2, 2, 2}), boxes = room(rois.shape());
    p_.prroi_pool(x, rois, bins, pooled);
    see(pooled);
    p_.prroi_pool_adjoint(pooled, rois, bins, Write::overwrite, gx);
    see(gx);
    p_.prroi_pool_roi_gradient(x, rois, pooled, bins, boxes);
    see(boxes);
    Tensor<T> moved = room(pooled.shape());
    p_.prroi_pool_tangent(x, rois, move, bins, moved);
    see(moved);
    p_.prroi_pool_tangent_adjoint(pooled, rois, move, bins, Write::overwrite, gx);
    see(gx);
    p_.prroi_pool_tangent_roi_gradient(x, rois, move, pooled, bins, boxes);
    see(boxes);
  }

  void images() {
    const CropWindow window{1, 2, 6, 5};
    const CropWindow windows[] = {window};
    const Tensor<T> image = drawn({1, 3, 9, 9});
    Tensor<T> crop = room({1, 3, 4, 4}), back = room(image.shape());
    p_.crop_resize(image, windows, crop);
    see(crop);
    p_.crop_resize_adjoint(crop, windows, Write::overwrite, back);
    see(back);
    const std::vector<std::uint8_t> bytes(9 * 9 * 3, 77);
    const Tensor<std::uint8_t> frame(Shape{9, 9, 3}, std::span<const std::uint8_t>(bytes), gpu_);
    const T offset[] = {1, 2, 3}, scale[] = {T(0.5), T(0.25), T(0.125)};
    p_.crop_resize_frame(frame, window, offset, scale, crop);
    see(crop);
    Tensor<std::uint8_t> pixels(Shape{2, 3, 3}, gpu_);
    const PixelRows rows{reinterpret_cast<const std::byte*>(frame.data()), 9, 9, 27};
    p_.unpack_pixels(rows, 1, 2, 2, pixels);
    for (const std::uint8_t value : pixels.to_vector()) seen_.push_back(value);
    const Tensor<double> sizes = Tensor<double>::full(Shape{1, 2}, 2.0, gpu_);
    Tensor<T> peaks = room({1, 6});
    p_.two_peaks(image.reshape(Shape{1, 27, 9}), sizes, peaks);
    see(peaks);
  }

  const Device gpu_ = Device::cuda(0);
  Primitives<T>& p_;
  RandomSource random_{3};
  std::vector<double> seen_;
};

/// More than the staging buffer's two halves, so that it turns and waits.
double large_upload() {
  const std::vector<float> values(std::size_t{3} << 20, 1.5F);
  const Tensor<float> tensor(Shape{static_cast<std::int64_t>(values.size())},
                             std::span<const float>(values), Device::cuda(0));
  return static_cast<double>(tensor.to_vector().back());
}

/// Memory that another thread has freed, in its own stream, is taken over by this one.
double handover() {
  std::exception_ptr failure;
  std::thread other([&] {
    try {
      Tensor<float>::full(Shape{977}, 2.0F, Device::cuda(0));
    } catch (...) {
      failure = std::current_exception();
    }
  });
  other.join();
  if (failure) std::rethrow_exception(failure);
  return static_cast<double>(Tensor<float>::full(Shape{977}, 4.0F, Device::cuda(0)).to_vector()[5]);
}

/// Work that takes a number from the host is recorded, then repeated.
double repeated() {
  const Device gpu = Device::cuda(0);
  Tensor<float> total = Tensor<float>::zeros(Shape{5}, gpu);
  Recording recording(gpu);
  for (int i = 0; i < 3; ++i) {
    recording.run({total.data()}, [&] {
      const Tensor<float> more = Tensor<float>::full(Shape{5}, 3.0F, gpu);
      primitives_for<float>(gpu).combine(Combination::add, total, more, total);
    });
  }
  return static_cast<double>(total.to_vector()[4]);
}

}  // namespace

std::vector<double> use_whole_backend() {
  std::vector<double> seen{large_upload(), handover(), repeated(),
                           static_cast<double>(hardware(Device::cuda(0)).size())};
  for (const std::vector<double>& more : {Tour<float>().run(), Tour<double>().run()})
    seen.insert(seen.end(), more.begin(), more.end());
  release_cached_memory(Device::cuda(0));
  return seen;
}

}  // namespace cuda_on_host
