// SPDX-License-Identifier: MIT
// The differentiable operations against numbers recorded from an independent implementation.
#include "support/goldens.hpp"

#include <doctest/doctest.h>

#include <map>

#include "atomtrack/autodiff/operations.hpp"
#include "support/compare.hpp"

using namespace atomtrack;
using test::absolute_difference;
using test::Golden;
using test::relative_difference;

namespace {

template <class T>
Variable<T> leaf(const Golden& golden, const std::string& path, Device device) {
  return Variable<T>::leaf(golden.tensor<T>(path, device));
}

const Device devices[] = {Device::cpu(), Device::reference()};

}  // namespace

TEST_CASE_TEMPLATE("PELU and its first two derivatives agree with the goldens", T, float, double) {
  const Golden golden("activations.h5");
  for (const Device device : devices) {
    for (const std::string& group : golden.children("/")) {
      if (group.rfind("mlu", 0) != 0) continue;
      CAPTURE(group);
      const double a = golden.attribute(group, "a");
      const Variable<T> x = leaf<T>(golden, "x", device);
      const Variable<T> y = pelu(x, a);
      const Variable<T> first = backprop(sum(y), x);
      const Variable<T> second = backprop(sum(first), x);
      CHECK(relative_difference(y.value(), golden.tensor<double>(group + "/y")) < 1e-6);
      CHECK(relative_difference(first.value(), golden.tensor<double>(group + "/grad")) < 1e-6);
      CHECK(relative_difference(second.value(), golden.tensor<double>(group + "/grad2")) < 2e-6);
    }
  }
}

TEST_CASE_TEMPLATE("conv2d agrees with the goldens to second order", T, float, double) {
  const Golden golden("conv2d.h5");
  for (const Device device : devices) {
    for (const std::string& group : golden.children("/")) {
      if (!golden.has(group + "/ggo")) continue;
      CAPTURE(group);
      const Conv2dGeometry geometry{static_cast<int>(golden.attribute(group, "stride")),
                                    static_cast<int>(golden.attribute(group, "padding"))};
      const Variable<T> x = leaf<T>(golden, group + "/x", device);
      const Variable<T> w = leaf<T>(golden, group + "/wt", device);
      const Variable<T> go = leaf<T>(golden, group + "/go", device);
      const Variable<T> y = conv2d(x, w, geometry);
      CHECK(relative_difference(y.value(), golden.tensor<double>(group + "/y")) < 1e-5);

      const std::vector<Variable<T>> xw{x, w};
      const auto gradient = backprop(inner(y, go), std::span<const Variable<T>>(xw));
      CHECK(relative_difference(gradient[0].value(), golden.tensor<double>(group + "/gx")) < 1e-5);
      CHECK(relative_difference(gradient[1].value(), golden.tensor<double>(group + "/gw")) < 1e-5);

      const Variable<T> vx(golden.tensor<T>(group + "/vx", device));
      const Variable<T> vw(golden.tensor<T>(group + "/vw", device));
      const std::vector<Variable<T>> all{go, x, w};
      const auto second = backprop(inner(gradient[0], vx) + inner(gradient[1], vw),
                                   std::span<const Variable<T>>(all));
      CHECK(relative_difference(second[0].value(), golden.tensor<double>(group + "/ggo")) < 1e-5);
      CHECK(relative_difference(second[1].value(), golden.tensor<double>(group + "/dx")) < 1e-5);
      CHECK(relative_difference(second[2].value(), golden.tensor<double>(group + "/dw")) < 1e-5);
    }
  }
}

TEST_CASE_TEMPLATE("conv2d_same agrees with the goldens for even and odd filters", T, float,
                   double) {
  const Golden golden("conv2d.h5");
  for (const Device device : devices) {
    for (const std::string group : {"same_even4", "same_odd3"}) {
      CAPTURE(group);
      const Variable<T> x = leaf<T>(golden, group + "/x", device);
      const Variable<T> w = leaf<T>(golden, group + "/wt", device);
      const Variable<T> y = conv2d_same(x, w);
      CHECK(relative_difference(y.value(), golden.tensor<double>(group + "/y")) < 1e-5);
      if (!golden.has(group + "/go")) continue;
      const Variable<T> go(golden.tensor<T>(group + "/go", device));
      const std::vector<Variable<T>> xw{x, w};
      const auto gradient = backprop(inner(y, go), std::span<const Variable<T>>(xw));
      CHECK(relative_difference(gradient[0].value(), golden.tensor<double>(group + "/gx")) < 1e-5);
      CHECK(relative_difference(gradient[1].value(), golden.tensor<double>(group + "/gw")) < 1e-5);
    }
  }
}

TEST_CASE_TEMPLATE("PrRoIPool and both its gradients agree with the goldens", T, float, double) {
  const Golden golden("prroi.h5");
  for (const Device device : devices) {
    for (const std::string& group : golden.children("/")) {
      CAPTURE(group);
      const PrRoiGeometry geometry{static_cast<int>(golden.attribute(group, "pooled_h")),
                                   static_cast<int>(golden.attribute(group, "pooled_w")),
                                   golden.attribute(group, "spatial_scale")};
      const Variable<T> features = leaf<T>(golden, group + "/features", device);
      const Variable<T> rois = leaf<T>(golden, group + "/rois", device);
      const Variable<T> pooled = prroi_pool(features, rois, geometry);
      const Variable<T> g(golden.tensor<T>(group + "/grad_output", device));
      const std::vector<Variable<T>> both{features, rois};
      const auto gradient = backprop(inner(pooled, g), std::span<const Variable<T>>(both));
      CHECK(relative_difference(pooled.value(), golden.tensor<double>(group + "/output")) < 1e-5);
      CHECK(relative_difference(gradient[0].value(),
                                golden.tensor<double>(group + "/grad_features")) < 1e-5);
      CHECK(relative_difference(gradient[1].value(), golden.tensor<double>(group + "/grad_rois")) <
            1e-5);
    }
  }
}
