// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdint>
#include <cstring>

#include "cuda/constants.hpp"
#include "cuda/launch.hpp"

namespace atomtrack::cuda {
namespace {

/// What one launch carries. Arguments may take 4 KiB in all.
struct Payload {
  std::uint8_t bytes[1024];
};

// A constant of the grid is read where it is, by any index; other arguments would be copied to a
// stack for that.
__global__ void store_kernel(const __grid_constant__ Payload payload, int count, std::uint8_t* to) {
  for (int i = static_cast<int>(threadIdx.x); i < count; i += block_threads)
    to[i] = payload.bytes[i];
}

}  // namespace

void store(const Context& context, void* device, const void* host, std::size_t bytes) {
  auto* to = static_cast<std::uint8_t*>(device);
  const auto* from = static_cast<const std::uint8_t*>(host);
  while (bytes > 0) {
    Payload payload{};
    const std::size_t some = std::min(bytes, sizeof(payload.bytes));
    std::memcpy(payload.bytes, from, some);
    launch("store", store_kernel, dim3(1), dim3(block_threads), context, payload,
           static_cast<int>(some), to);
    to += some;
    from += some;
    bytes -= some;
  }
}

}  // namespace atomtrack::cuda
