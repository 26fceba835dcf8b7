// SPDX-License-Identifier: MIT
// Arguments that do not fit: every primitive of every backend throws ShapeError and writes nothing.
#include "atomtrack/primitives/checks.hpp"

#include <doctest/doctest.h>

#include "support/conformance.hpp"

using namespace atomtrack;
using test::rejects;

namespace {

template <class B>
using ScalarOf = typename std::decay_t<B>::Scalar;

}  // namespace

TEST_SUITE_BEGIN("conformance");

TEST_CASE("elementwise primitives reject other shapes") {
  rejects<ShapeError>("copy [2,3] -> [3,2]", [](auto& bench) {
    const auto x = bench.source("x", Shape{2, 3});
    auto y = bench.result("y", Shape{3, 2});
    bench.primitives().copy(x, y);
  });
  rejects<ShapeError>("map [2,3] -> [6]", [](auto& bench) {
    const auto x = bench.source("x", Shape{2, 3});
    auto y = bench.result("y", Shape{6});
    bench.primitives().map({MapKind::exp}, x, y);
  });
  const auto combine = [](const Shape& a, const Shape& b, const Shape& result) {
    rejects<ShapeError>(concatenate("combine ", a, " ", b, " -> ", result), [&](auto& bench) {
      const auto left = bench.source("a", a);
      const auto right = bench.source("b", b);
      auto y = bench.result("y", result);
      bench.primitives().combine(Combination::add, left, right, y);
    });
  };
  combine({2, 3}, {2, 4}, {2, 3});
  combine({2, 3}, {2, 3}, {2, 4});
  combine({2, 3}, {2, 3}, {3});
  combine({2, 3}, {2, 3}, {1, 3});
  combine({2, 3}, {2, 3}, {});
  combine({2, 3}, {}, {0, 3});
  const auto reduce = [](const Shape& from, const Shape& to) {
    rejects<ShapeError>(concatenate("reduce_sum ", from, " -> ", to), [&](auto& bench) {
      const auto x = bench.source("x", from);
      auto y = bench.result("y", to);
      bench.primitives().reduce_sum(x, Write::overwrite, y);
    });
  };
  reduce({2, 3}, {2});
  reduce({2, 3}, {4});
  reduce({2, 3}, {1, 2, 3});
  reduce({1, 3}, {2, 3});
  reduce({}, {1});
}

TEST_CASE("layout primitives reject blocks outside, orders that are none, and other shapes") {
  const auto block = [](const Shape& from, const Shape& from_start, const Shape& to,
                        const Shape& to_start, const Shape& extent) {
    rejects<ShapeError>(concatenate("copy_block ", extent, " at ", from_start, " of ", from, " to ",
                                    to_start, " of ", to),
                        [&](auto& bench) {
                          const auto x = bench.source("x", from);
                          auto y = bench.result("y", to);
                          bench.primitives().copy_block(x, from_start, Write::overwrite, y,
                                                        to_start, extent);
                        });
  };
  block({4, 5}, {2, 0}, {9, 9}, {0, 0}, {3, 5});
  block({9, 9}, {0, 0}, {4, 5}, {0, 1}, {4, 5});
  block({4, 5}, {0}, {4, 5}, {0, 0}, {4, 5});
  block({4, 5}, {0, 0}, {4, 5}, {0, 0}, {4});
  block({4, 5}, {0, 0}, {4, 5, 1}, {0, 0, 0}, {4, 5});
  const auto permute = [](const Shape& from, const std::vector<int>& order, const Shape& to) {
    rejects<ShapeError>(concatenate("permute ", from, " -> ", to, " with ", order.size(), " axes"),
                        [&](auto& bench) {
                          const auto x = bench.source("x", from);
                          auto y = bench.result("y", to);
                          bench.primitives().permute(x, order, y);
                        });
  };
  permute({2, 3}, {1, 0}, {2, 3});
  permute({2, 2}, {0, 0}, {2, 2});
  permute({2, 3}, {0, 2}, {2, 3});
  permute({2, 3}, {-1, 0}, {3, 2});
  permute({2, 3}, {1, 0}, {3, 2, 1});
  permute({2, 3}, {1}, {3});
  rejects<ShapeError>("gather with another number of indices", [](auto& bench) {
    const auto x = bench.source("x", Shape{5});
    const auto at = bench.index_source("indices", Shape{3}, {0, 1, 2});
    auto y = bench.result("y", Shape{4});
    bench.primitives().gather(x, at, y);
  });
  rejects<ShapeError>("scatter_add with another number of indices", [](auto& bench) {
    const auto x = bench.source("x", Shape{4});
    const auto at = bench.index_source("indices", Shape{3}, {0, 1, 2});
    auto y = bench.result("y", Shape{5});
    bench.primitives().scatter_add(x, at, Write::overwrite, y);
  });
}

TEST_CASE("gemm and the device scalars reject other shapes") {
  const auto gemm = [](bool transpose_a, bool transpose_b, const Shape& a, const Shape& b,
                       const Shape& c) {
    rejects<ShapeError>(
        concatenate("gemm ", a, transpose_a ? "' " : " ", b, transpose_b ? "' -> " : " -> ", c),
        [&](auto& bench) {
          const auto left = bench.source("a", a);
          const auto right = bench.source("b", b);
          auto y = bench.result("c", c);
          bench.primitives().gemm(transpose_a, transpose_b, left, right, Write::overwrite, y);
        });
  };
  gemm(false, false, {2, 3}, {4, 5}, {2, 5});
  gemm(false, false, {2, 3}, {3, 5}, {5, 2});
  gemm(true, false, {2, 3}, {3, 5}, {2, 5});
  gemm(false, true, {2, 3}, {3, 5}, {2, 5});
  gemm(false, false, {6}, {6, 1}, {1});
  gemm(false, false, {1, 2, 3}, {3, 5}, {1, 2, 5});
  rejects<ShapeError>("dot of [2,3] and [6]", [](auto& bench) {
    const auto x = bench.source("x", Shape{2, 3});
    const auto y = bench.source("y", Shape{6});
    auto result = bench.scalar_result("result");
    bench.primitives().dot(x, y, Write::overwrite, result);
  });
  rejects<ShapeError>("dot into two elements", [](auto& bench) {
    const auto x = bench.source("x", Shape{3});
    Tensor<double> result(Shape{2}, bench.device());
    bench.primitives().dot(x, x, Write::overwrite, result);
  });
  rejects<ShapeError>("axpy of [3] to [4]", [](auto& bench) {
    const auto x = bench.source("x", Shape{3});
    const auto alpha = bench.scalar_source("alpha", 2.0);
    auto y = bench.result("y", Shape{4});
    bench.primitives().axpy(1.0, alpha, x, y);
  });
  rejects<ShapeError>("axpy with two factors", [](auto& bench) {
    const auto x = bench.source("x", Shape{3});
    const Tensor<double> alpha = Tensor<double>::zeros(Shape{2}, bench.device());
    auto y = bench.result("y", Shape{3});
    bench.primitives().axpy(1.0, alpha, x, y);
  });
  rejects<ShapeError>("xpby of [3] and [4]", [](auto& bench) {
    const auto x = bench.source("x", Shape{3});
    const auto beta = bench.scalar_source("beta", 2.0);
    auto y = bench.result("y", Shape{4});
    bench.primitives().xpby(x, beta, y);
  });
  rejects<ShapeError>("xpby with no factor", [](auto& bench) {
    const auto x = bench.source("x", Shape{3});
    const Tensor<double> beta(Shape{0}, bench.device());
    auto y = bench.result("y", Shape{3});
    bench.primitives().xpby(x, beta, y);
  });
}

TEST_CASE("convolutions reject shapes and geometries that do not fit, in all three directions") {
  const auto convolution = [](const Shape& x, const Shape& w, Conv2dGeometry g, const Shape& y) {
    const std::string name =
        concatenate("x=", x, " w=", w, " stride=", g.stride, " padding=", g.padding, " y=", y);
    rejects<ShapeError>("conv2d " + name, [&](auto& bench) {
      const auto a = bench.source("x", x);
      const auto b = bench.source("w", w);
      auto result = bench.result("y", y);
      bench.primitives().conv2d(a, b, g, result);
    });
    rejects<ShapeError>("conv2d_data_adjoint " + name, [&](auto& bench) {
      const auto a = bench.source("gy", y);
      const auto b = bench.source("w", w);
      auto result = bench.result("gx", x);
      bench.primitives().conv2d_data_adjoint(a, b, g, Write::overwrite, result);
    });
    rejects<ShapeError>("conv2d_filter_adjoint " + name, [&](auto& bench) {
      const auto a = bench.source("gy", y);
      const auto b = bench.source("x", x);
      auto result = bench.result("gw", w);
      bench.primitives().conv2d_filter_adjoint(a, b, g, Write::overwrite, result);
    });
  };
  convolution({2, 3, 7, 8}, {4, 2, 3, 3}, {1, 1}, {2, 4, 7, 8});  // other channels
  convolution({2, 3, 7, 8}, {4, 3, 3, 3}, {1, 1}, {2, 4, 7, 7});  // other result
  convolution({2, 3, 7, 8}, {4, 3, 3, 3}, {1, 1}, {1, 4, 7, 8});
  convolution({2, 3, 7, 8}, {4, 3, 3, 3}, {1, 1}, {2, 3, 7, 8});
  convolution({2, 3, 7, 8}, {4, 3, 3, 3}, {2, 1}, {2, 4, 7, 8});
  convolution({2, 3, 7, 8}, {4, 3, 3, 3}, {0, 1}, {2, 4, 7, 8});  // no stride
  convolution({2, 3, 7, 8}, {4, 3, 3, 3}, {-1, 1}, {2, 4, 7, 8});
  convolution({2, 3, 7, 8}, {4, 3, 3, 3}, {1, -1}, {2, 4, 3, 4});  // padding below zero
  convolution({2, 3, 2, 8}, {4, 3, 3, 3}, {1, 0}, {2, 4, 0, 6});   // does not fit
  convolution({3, 7, 8}, {4, 3, 3, 3}, {1, 1}, {4, 7, 8});
  convolution({2, 3, 7, 8}, {3, 3, 3}, {1, 1}, {2, 4, 7, 8});
}

TEST_CASE("poolings reject shapes and geometries that do not fit") {
  const auto pooling = [](const Shape& x, Pool2dGeometry g, const Shape& y, const Shape& indices) {
    const std::string name = concatenate("x=", x, " window=", g.window, " stride=", g.stride,
                                         " padding=", g.padding, " y=", y, " indices=", indices);
    rejects<ShapeError>("max_pool2d " + name, [&](auto& bench) {
      const auto a = bench.source("x", x);
      auto result = bench.result("y", y);
      auto at = bench.index_result("indices", indices);
      bench.primitives().max_pool2d(a, g, result, at);
    });
    if (!(y == indices)) return;
    rejects<ShapeError>("average_pool2d " + name, [&](auto& bench) {
      const auto a = bench.source("x", x);
      auto result = bench.result("y", y);
      bench.primitives().average_pool2d(a, g, result);
    });
    rejects<ShapeError>("average_pool2d_adjoint " + name, [&](auto& bench) {
      const auto a = bench.source("gy", y);
      auto result = bench.result("gx", x);
      bench.primitives().average_pool2d_adjoint(a, g, Write::overwrite, result);
    });
  };
  const Shape x{2, 3, 7, 8}, y{2, 3, 3, 4};
  pooling(x, {2, 2, 0}, Shape{2, 3, 4, 4}, Shape{2, 3, 4, 4});
  pooling(x, {2, 2, 0}, Shape{2, 2, 3, 4}, Shape{2, 2, 3, 4});
  pooling(x, {2, 2, 0}, y, Shape{2, 3, 3, 3});
  pooling(x, {0, 2, 0}, y, y);
  pooling(x, {2, 0, 0}, y, y);
  pooling(x, {2, 2, 2}, Shape{2, 3, 5, 6}, Shape{2, 3, 5, 6});  // windows of padding alone
  pooling(x, {2, 2, -1}, y, y);
  pooling(x, {9, 1, 0}, Shape{2, 3, 0, 0}, Shape{2, 3, 0, 0});
  pooling(Shape{3, 7, 8}, {2, 2, 0}, Shape{3, 3, 4}, Shape{3, 3, 4});
}

TEST_CASE("PrRoIPool rejects shapes and geometries that do not fit, in all six functions") {
  const auto pooling = [](const Shape& features, const Shape& rois, PrRoiGeometry g,
                          const Shape& pooled) {
    const std::string name =
        concatenate("features=", features, " rois=", rois, " pooled=", pooled, " ", g.pooled_height,
                    "x", g.pooled_width, " scale=", g.spatial_scale);
    rejects<ShapeError>("prroi_pool " + name, [&](auto& bench) {
      const auto f = bench.source("features", features);
      const auto b = bench.source("rois", rois, 0.0, 0.9);
      auto result = bench.result("pooled", pooled);
      bench.primitives().prroi_pool(f, b, g, result);
    });
    rejects<ShapeError>("prroi_pool_adjoint " + name, [&](auto& bench) {
      const auto given = bench.source("given", pooled);
      const auto b = bench.source("rois", rois, 0.0, 0.9);
      auto result = bench.result("grad_features", features);
      bench.primitives().prroi_pool_adjoint(given, b, g, Write::overwrite, result);
    });
    rejects<ShapeError>("prroi_pool_roi_gradient " + name, [&](auto& bench) {
      const auto f = bench.source("features", features);
      const auto b = bench.source("rois", rois, 0.0, 0.9);
      const auto given = bench.source("given", pooled);
      auto result = bench.result("grad_rois", rois);
      bench.primitives().prroi_pool_roi_gradient(f, b, given, g, result);
    });
    rejects<ShapeError>("prroi_pool_tangent " + name, [&](auto& bench) {
      const auto f = bench.source("features", features);
      const auto b = bench.source("rois", rois, 0.0, 0.9);
      const auto v = bench.source("tangent", rois);
      auto result = bench.result("pooled", pooled);
      bench.primitives().prroi_pool_tangent(f, b, v, g, result);
    });
    rejects<ShapeError>("prroi_pool_tangent_adjoint " + name, [&](auto& bench) {
      const auto given = bench.source("given", pooled);
      const auto b = bench.source("rois", rois, 0.0, 0.9);
      const auto v = bench.source("tangent", rois);
      auto result = bench.result("grad_features", features);
      bench.primitives().prroi_pool_tangent_adjoint(given, b, v, g, Write::overwrite, result);
    });
    rejects<ShapeError>("prroi_pool_tangent_roi_gradient " + name, [&](auto& bench) {
      const auto f = bench.source("features", features);
      const auto b = bench.source("rois", rois, 0.0, 0.9);
      const auto v = bench.source("tangent", rois);
      const auto given = bench.source("given", pooled);
      auto result = bench.result("grad_rois", rois);
      bench.primitives().prroi_pool_tangent_roi_gradient(f, b, v, given, g, result);
    });
  };
  const Shape features{2, 3, 9, 11}, rois{4, 5};
  pooling(features, rois, {3, 3, 0.5}, Shape{4, 3, 3, 2});
  pooling(features, rois, {3, 3, 0.5}, Shape{5, 3, 3, 3});
  pooling(features, rois, {3, 3, 0.5}, Shape{4, 2, 3, 3});
  pooling(features, Shape{4, 4}, {3, 3, 0.5}, Shape{4, 3, 3, 3});
  pooling(features, Shape{20}, {3, 3, 0.5}, Shape{4, 3, 3, 3});
  pooling(Shape{3, 9, 11}, rois, {3, 3, 0.5}, Shape{4, 3, 3, 3});
  pooling(features, rois, {0, 3, 0.5}, Shape{4, 3, 0, 3});
  pooling(features, rois, {3, 3, 0.0}, Shape{4, 3, 3, 3});
  pooling(features, rois, {3, 3, -1.0}, Shape{4, 3, 3, 3});

  const PrRoiGeometry g{3, 3, 0.5};
  rejects<ShapeError>("prroi_pool_tangent along another number of boxes", [&](auto& bench) {
    const auto f = bench.source("features", features);
    const auto b = bench.source("rois", rois, 0.0, 0.9);
    const auto v = bench.source("tangent", Shape{3, 5});
    auto result = bench.result("pooled", Shape{4, 3, 3, 3});
    bench.primitives().prroi_pool_tangent(f, b, v, g, result);
  });
  rejects<ShapeError>("prroi_pool_roi_gradient into another number of boxes", [&](auto& bench) {
    const auto f = bench.source("features", features);
    const auto b = bench.source("rois", rois, 0.0, 0.9);
    const auto given = bench.source("given", Shape{4, 3, 3, 3});
    auto result = bench.result("grad_rois", Shape{4, 4});
    bench.primitives().prroi_pool_roi_gradient(f, b, given, g, result);
  });
}

TEST_CASE("crops reject shapes and windows that do not fit") {
  const auto crop = [](const Shape& image, const std::vector<CropWindow>& windows,
                       const Shape& result) {
    const CropWindow w = windows.empty() ? CropWindow{} : windows[0];
    const std::string name = concatenate("image=", image, " result=", result, " ", windows.size(),
                                         " windows of ", w.height, "x", w.width, " step ", w.step,
                                         " from ", w.offset_y, ",", w.offset_x);
    rejects<ShapeError>("crop_resize " + name, [&](auto& bench) {
      const auto x = bench.source("x", image);
      auto y = bench.result("y", result);
      bench.primitives().crop_resize(x, windows, y);
    });
    rejects<ShapeError>("crop_resize_adjoint " + name, [&](auto& bench) {
      const auto gy = bench.source("gy", result);
      auto gx = bench.result("gx", image);
      bench.primitives().crop_resize_adjoint(gy, windows, Write::overwrite, gx);
    });
  };
  const Shape image{1, 3, 7, 9}, result{1, 3, 4, 4};
  crop(image, {}, result);
  crop(image, {CropWindow{}, CropWindow{}}, result);
  crop(image, {CropWindow{}}, Shape{1, 2, 4, 4});
  crop(image, {CropWindow{}}, Shape{2, 3, 4, 4});
  crop(Shape{3, 7, 9}, {CropWindow{}}, Shape{3, 4, 4});
  crop(Shape{1, 3, 0, 9}, {CropWindow{}}, result);
  crop(image, {CropWindow{0, 0, 0, 5, 1, 0, 0}}, result);
  crop(image, {CropWindow{0, 0, 5, -1, 1, 0, 0}}, result);
  crop(image, {CropWindow{0, 0, 5, 5, 0, 0, 0}}, result);
  crop(image, {CropWindow{0, 0, 5, 5, 2, -1, 0}}, result);
  crop(image, {CropWindow{0, 0, 5, 5, 2, 0, 9}}, result);

  const auto frame = [](const Shape& pixels, std::size_t offsets, std::size_t scales,
                        const Shape& to) {
    rejects<ShapeError>(concatenate("crop_resize_frame ", pixels, " with ", offsets,
                                    " offsets and ", scales, " scales to ", to),
                        [&](auto& bench) {
                          using T = ScalarOf<decltype(bench)>;
                          const auto x = bench.byte_source("x", pixels);
                          auto y = bench.result("y", to);
                          const std::vector<T> offset(offsets), scale(scales);
                          bench.primitives().crop_resize_frame(x, CropWindow{0, 0, 5, 5, 1, 0, 0},
                                                               std::span<const T>(offset),
                                                               std::span<const T>(scale), y);
                        });
  };
  frame(Shape{7, 9, 3}, 2, 3, result);
  frame(Shape{7, 9, 3}, 3, 4, result);
  frame(Shape{7, 9}, 3, 3, result);
  frame(Shape{7, 9, 1}, 1, 1, result);
  frame(Shape{7, 9, 3}, 3, 3, Shape{3, 4, 4});
}

TEST_CASE("an empty handle is refused") {
  rejects<ShapeError>("copy of an empty handle", [](auto& bench) {
    using T = ScalarOf<decltype(bench)>;
    auto y = bench.result("y", Shape{3});
    bench.primitives().copy(Tensor<T>(), y);
  });
  rejects<ShapeError>("fill of an empty handle", [](auto& bench) {
    using T = ScalarOf<decltype(bench)>;
    Tensor<T> nothing;
    bench.primitives().fill(T(1), nothing);
  });
}

TEST_SUITE_END();

TEST_CASE("messages say what was expected and what came") {
  CHECK_THROWS_WITH_AS(checks::same_shape("copy", Shape{2, 3}, Shape{3, 2}),
                       "copy: expected shape [2,3], came [3,2]", ShapeError);
  CHECK_THROWS_WITH_AS(
      checks::gemm(true, false, Shape{2, 3}, Shape{3, 5}, Shape{2, 5}),
      "gemm: [2,3] transposed times [3,5] into [2,5]: expected [M,K] [K,N] -> [M,N]", ShapeError);
  CHECK_THROWS_WITH_AS(
      checks::conv2d(Shape{1, 3, 7, 7}, Shape{4, 2, 3, 3}, {1, 0}, Shape{1, 4, 5, 5}),
      "conv2d: input [1,3,7,7] and filter [4,2,3,3]: expected [N,Cin,H,W] and [Cout,Cin,Kh,Kw]",
      ShapeError);
}
