// SPDX-License-Identifier: MIT
#include "atomtrack/tensor/tensor.hpp"

#include <doctest/doctest.h>

#include <utility>

using namespace atomtrack;

TEST_CASE_TEMPLATE("a tensor holds what it was made of", T, float, double, std::int32_t,
                   std::uint8_t) {
  const Tensor<T> tensor(Shape{2, 3}, {1, 2, 3, 4, 5, 6});
  CHECK(tensor.defined());
  CHECK(tensor.shape() == Shape{2, 3});
  CHECK(tensor.extent(-1) == 3);
  CHECK(tensor.rank() == 2);
  CHECK(tensor.numel() == 6);
  CHECK(tensor.bytes() == 6 * sizeof(T));
  CHECK(tensor.device() == Device::cpu());
  CHECK(tensor.to_vector() == std::vector<T>{1, 2, 3, 4, 5, 6});
  CHECK(tensor.span()[4] == T(5));
  CHECK(Tensor<T>::full(Shape{3}, T(7)).to_vector() == std::vector<T>{7, 7, 7});
  CHECK(Tensor<T>::zeros(Shape{2}).to_vector() == std::vector<T>{0, 0});
  CHECK(Tensor<T>::scalar(T(9)).item() == T(9));
  CHECK(Tensor<T>::scalar(T(9)).shape() == Shape{});
}

TEST_CASE("as many values as elements are asked for") {
  CHECK_THROWS_WITH_AS((Tensor<float>(Shape{2, 3}, {1, 2, 3})),
                       "3 values for a tensor of shape [2,3]", ShapeError);
  CHECK_THROWS_AS((Tensor<float>(Shape{}, {1, 2})), ShapeError);
}

TEST_CASE("a copy shares the elements, a clone does not") {
  Tensor<float> a(Shape{3}, {1, 2, 3});
  CHECK(a.unique());
  Tensor<float> copy = a;
  const Tensor<float> clone = a.clone();
  CHECK_FALSE(a.unique());
  CHECK(clone.unique());
  CHECK(a.shares_memory_with(copy));
  CHECK_FALSE(a.shares_memory_with(clone));
  copy.data()[1] = 20;
  CHECK(a.to_vector() == std::vector<float>{1, 20, 3});
  CHECK(clone.to_vector() == std::vector<float>{1, 2, 3});
  copy = Tensor<float>();
  CHECK(a.unique());
}

TEST_CASE("reshape and slice are views of the same elements") {
  Tensor<float> a(Shape{4, 3}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  Tensor<float> middle = a.slice(1, 2);
  CHECK(middle.shape() == Shape{2, 3});
  CHECK(middle.to_vector() == std::vector<float>{3, 4, 5, 6, 7, 8});
  CHECK(middle.shares_memory_with(a));
  Tensor<float> turned = middle.reshape(Shape{3, 2});
  turned.data()[0] = 30;
  CHECK(a.data()[3] == 30);
  CHECK(middle.slice(1, 1).reshape(Shape{3}).to_vector() == std::vector<float>{6, 7, 8});
  CHECK(a.slice(4, 0).numel() == 0);
  CHECK(a.slice(0, 4).to_vector() == a.to_vector());
  // A clone of a view is an array of its own, of the view's elements only.
  const Tensor<float> clone = middle.clone();
  CHECK(clone.to_vector() == middle.to_vector());
  CHECK_FALSE(clone.shares_memory_with(a));
}

TEST_CASE("a view keeps its elements when the tensor it came from is gone") {
  Tensor<float> view;
  {
    const Tensor<float> whole(Shape{2, 2}, {1, 2, 3, 4});
    view = whole.slice(1, 1);
  }
  CHECK(view.to_vector() == std::vector<float>{3, 4});
  CHECK(view.unique());
}

TEST_CASE("views that do not fit are refused") {
  const Tensor<float> a(Shape{4, 3});
  CHECK_THROWS_WITH_AS(a.reshape(Shape{5, 2}), "cannot reshape [4,3] to [5,2]", ShapeError);
  CHECK_THROWS_WITH_AS(a.slice(2, 3), "slice 2..5 of a tensor of shape [4,3]", ShapeError);
  CHECK_THROWS_AS(a.slice(-1, 2), ShapeError);
  CHECK_THROWS_AS(a.slice(1, -1), ShapeError);
  CHECK_THROWS_AS(Tensor<float>::scalar(1).slice(0, 1), ShapeError);
  CHECK_THROWS_AS(a.item(), ShapeError);
}

TEST_CASE("tensors without elements are tensors") {
  const Tensor<float> none(Shape{0, 3});
  CHECK(none.defined());
  CHECK(none.numel() == 0);
  CHECK(none.to_vector().empty());
  CHECK(none.clone().shape() == Shape{0, 3});
  CHECK(none.reshape(Shape{3, 0, 2}).shape() == Shape{3, 0, 2});
  CHECK(none.slice(0, 0).shape() == Shape{0, 3});
  CHECK_THROWS_AS(none.item(), ShapeError);
}

TEST_CASE("a default or moved-from tensor is empty and says so") {
  const auto check_empty = [](Tensor<float>& tensor) {
    CHECK_FALSE(tensor.defined());
    CHECK_THROWS_WITH_AS(tensor.shape(),
                         "use of an empty tensor (default-constructed or moved from)", ShapeError);
    CHECK_THROWS_AS(tensor.data(), ShapeError);
    CHECK_THROWS_AS(std::as_const(tensor).data(), ShapeError);
    CHECK_THROWS_AS(tensor.span(), ShapeError);
    CHECK_THROWS_AS(tensor.numel(), ShapeError);
    CHECK_THROWS_AS(tensor.device(), ShapeError);
    CHECK_THROWS_AS(tensor.to_vector(), ShapeError);
    CHECK_THROWS_AS(tensor.item(), ShapeError);
    CHECK_THROWS_AS(tensor.clone(), ShapeError);
    CHECK_THROWS_AS(tensor.to(Device::reference()), ShapeError);
    CHECK_THROWS_AS(tensor.reshape(Shape{}), ShapeError);
    CHECK_THROWS_AS(tensor.reshape(Shape{0}), ShapeError);
    CHECK_THROWS_AS(tensor.slice(0, 0), ShapeError);
    CHECK_THROWS_AS(tensor.unique(), ShapeError);
    CHECK_FALSE(tensor.shares_memory_with(tensor));
  };
  Tensor<float> never;
  check_empty(never);

  Tensor<float> moved(Shape{2}, {1, 2});
  Tensor<float> to = std::move(moved);
  check_empty(moved);  // NOLINT: that is what is tested
  CHECK(to.to_vector() == std::vector<float>{1, 2});

  Tensor<float> assigned(Shape{3});
  assigned = std::move(to);
  check_empty(to);  // NOLINT
  CHECK(assigned.to_vector() == std::vector<float>{1, 2});
  CHECK(assigned.unique());

  to = assigned;  // and can be used again
  CHECK(to.to_vector() == std::vector<float>{1, 2});
  Tensor<float>& same = to;
  to = std::move(same);
  CHECK(to.to_vector() == std::vector<float>{1, 2});
}

TEST_CASE("a tensor moves between the devices that share the host's memory by copying") {
  const Tensor<float> a(Shape{3}, {1, 2, 3});
  Tensor<float> b = a.to(Device::reference());
  CHECK(b.device() == Device::reference());
  CHECK(b.slice(1, 2).device() == Device::reference());
  b.data()[0] = 9;
  CHECK(a.to_vector() == std::vector<float>{1, 2, 3});
  CHECK(b.to(Device::cpu()).to_vector() == std::vector<float>{9, 2, 3});
}

TEST_CASE("a device that the build or the machine does not have is an error that says so") {
  bool present = true;
  try {
    device_memory(Device::cuda(63));
  } catch (const DeviceError&) {
    present = false;
  }
  REQUIRE_FALSE(present);  // no machine has 64 GPUs
  CHECK_THROWS_AS(Tensor<float>(Shape{2}, Device::cuda(63)), DeviceError);
  CHECK_THROWS_AS(Tensor<float>::zeros(Shape{2}).to(Device::cuda(63)), DeviceError);
}

TEST_CASE("convert keeps shape and device and rounds like a cast") {
  const Tensor<double> wide(Shape{2, 2}, {0.1, -2.0, 1e300, 3.0}, Device::reference());
  const Tensor<float> narrow = convert<float>(wide);
  CHECK(narrow.shape() == Shape{2, 2});
  CHECK(narrow.device() == Device::reference());
  CHECK(narrow.data()[0] == 0.1F);
  CHECK(narrow.data()[3] == 3.0F);
  const Tensor<std::uint8_t> bytes(Shape{3}, {0, 128, 255});
  CHECK(convert<float>(bytes).to_vector() == std::vector<float>{0, 128, 255});
}
