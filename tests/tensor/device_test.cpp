// SPDX-License-Identifier: MIT
#include "atomtrack/tensor/device.hpp"

#include <doctest/doctest.h>

#include "atomtrack/tensor/error.hpp"

using namespace atomtrack;

TEST_CASE("a device is parsed from its name and printed as it") {
  CHECK(parse_device("cpu") == Device::cpu());
  CHECK(parse_device("reference") == Device::reference());
  CHECK(parse_device("cuda") == Device::cuda(0));
  CHECK(parse_device("cuda:3") == Device::cuda(3));
  for (const Device device : {Device::cpu(), Device::reference(), Device::cuda(2)}) {
    CHECK(parse_device(concatenate(device)) == device);
  }
}

TEST_CASE("anything else is refused by name") {
  for (const char* text : {"", "CPU", "gpu", "cuda:", "cuda:x", "cuda:1x", "cuda:-1", "cuda: 1",
                           "cuda:+1", "cuda:99999999999999999999", "cpu:0", "cpu "}) {
    CAPTURE(text);
    CHECK_THROWS_AS(parse_device(text), InputError);
  }
  CHECK_THROWS_WITH(parse_device("tpu"),
                    "device 'tpu': expected cpu, reference, cuda or cuda:INDEX");
}

TEST_CASE("cpu and reference live in host memory, a GPU does not") {
  CHECK(Device::cpu().is_host());
  CHECK(Device::reference().is_host());
  CHECK_FALSE(Device::cuda().is_host());
  CHECK(Device() == Device::cpu());
  CHECK_FALSE(Device::cuda(0) == Device::cuda(1));
}
