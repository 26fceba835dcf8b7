// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>

namespace cuda_on_host {

/// Held by every call into the emulated device: it does one thing at a time, for whichever thread.
std::recursive_mutex& device_mutex();

/// The addresses of the device, for the race detector's shadow of them.
struct AddressRange {
  std::uintptr_t begin, end;
};
AddressRange device_addresses();

/// Whether an address belongs to the device, live or not.
bool is_device_address(const void* address);
/// Whether all of [address, address + bytes) lies in one live allocation.
bool is_live(const void* address, std::size_t bytes);

/// Whether an address lies in an allocation that was given back.
bool was_freed(const void* address);

/// While one exists, device memory can be read and written: kernels, copies and the libraries'
/// calls run under it. The rest of the time the host's touching it is a segmentation fault.
class DeviceAccess {
 public:
  DeviceAccess();
  ~DeviceAccess();
  DeviceAccess(const DeviceAccess&) = delete;
  DeviceAccess& operator=(const DeviceAccess&) = delete;
};

/// Ends the process, naming `what`, if the bytes around some allocation have been written. Needs
/// DeviceAccess.
void check_red_zones(const char* what);

/// Has a segmentation fault say that host code touched device memory, where that is its cause. Test
/// frameworks install handlers of their own, so this is renewed with every allocation.
void watch_host_access();

}  // namespace cuda_on_host
