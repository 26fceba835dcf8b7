// SPDX-License-Identifier: MIT
#include "atomtrack/tensor/error.hpp"

#include <doctest/doctest.h>

using namespace atomtrack;

TEST_CASE("require throws the error asked for, with its parts one after another") {
  CHECK_NOTHROW(require<ShapeError>(true, "never read"));
  CHECK_THROWS_WITH_AS(require<InputError>(false, "threads = ", 0, ": expected ", 1.5),
                       "threads = 0: expected 1.5", InputError);
}

TEST_CASE("every error is an Error, and none is another") {
  CHECK_THROWS_AS(throw ShapeError("x"), Error);
  CHECK_THROWS_AS(throw InputError("x"), Error);
  CHECK_THROWS_AS(throw WeightsError("x"), Error);
  CHECK_THROWS_AS(throw DeviceError("x"), Error);
  CHECK_THROWS_AS(throw OutOfMemoryError("x"), DeviceError);
  CHECK_FALSE(std::is_base_of_v<ShapeError, InputError>);
  CHECK_FALSE(std::is_base_of_v<InputError, WeightsError>);
}
