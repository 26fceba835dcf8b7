// SPDX-License-Identifier: MIT
// Streams, events, graphs, kernel launches and the runtime's errors.
#include "cuda_on_host/streams.hpp"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cuda_on_host/block_scheduler.hpp"
#include "cuda_on_host/device_memory.hpp"
#include "cuda_on_host/fatal.hpp"
#include "cuda_on_host/faults.hpp"
#include "cuda_on_host/kernel_launch.hpp"

namespace cuda_on_host {
namespace {

using Work = std::vector<std::function<void()>>;

struct Stream {
  std::deque<std::function<void()>> waiting;
  std::uint64_t given = 0, finished = 0;  // pieces of work
  std::unique_ptr<Work> capture;          // what it is given while a graph is captured
  bool invalid = false;                   // the capture: something that cannot be part of it
};

/// What a stream had been given when the event was recorded.
struct Event {
  Stream* stream = nullptr;
  std::uint64_t given = 0;
};

struct Runtime {
  std::set<Stream*> streams;
  std::set<Event*> events;
  std::set<Work*> graphs, executables;
  bool lazy = [] {
    const char* wish = std::getenv("ATOMTRACK_CUDA_LAZY");
    return wish != nullptr && std::string(wish) == "1";
  }();
};

/// Guarded by device_mutex().
Runtime& runtime() {
  static auto* instance = new Runtime;
  return *instance;
}

thread_local cudaError_t last_error = cudaSuccess;

Stream* stream_of(cudaStream_t handle) {
  return reinterpret_cast<Stream*>(handle);
}
Event* event_of(cudaEvent_t handle) {
  return reinterpret_cast<Event*>(handle);
}
bool known(Event* event) {
  return runtime().events.count(event) != 0;
}

/// Waiting, and events, which only a graph of several streams would need, end a capture.
bool refused_in_capture(Stream& stream) {
  if (stream.capture == nullptr) return false;
  stream.invalid = true;
  return true;
}

/// Runs what the stream was given until its first `given` pieces of work are finished.
void run_until(Stream& stream, std::uint64_t given) {
  const DeviceAccess access;
  while (stream.finished < given) {
    const std::function<void()> work = std::move(stream.waiting.front());
    stream.waiting.pop_front();
    work();
    ++stream.finished;
  }
}

/// A stream that is gone has finished all it had.
void run_until(const Event& event) {
  if (runtime().streams.count(event.stream) != 0) run_until(*event.stream, event.given);
}

bool launchable(dim3 grid, dim3 block) {
  constexpr std::uint64_t most_threads = 1024, most_depth = 64, most_rows = 65535;
  constexpr std::uint64_t most_columns = (std::uint64_t{1} << 31) - 1;
  const std::uint64_t threads = std::uint64_t{block.x} * block.y * block.z;
  return threads > 0 && threads <= most_threads && block.z <= most_depth && grid.x > 0 &&
         grid.y > 0 && grid.z > 0 && grid.x <= most_columns && grid.y <= most_rows &&
         grid.z <= most_rows;
}

/// `of`: the set the handle must be in. A fault of the call is reported after the deed.
cudaError_t destroyed(std::set<Work*>& of, void* handle, bool fails) {
  const std::lock_guard lock(device_mutex());
  auto* work = static_cast<Work*>(handle);
  if (of.erase(work) == 0) return remembered(cudaErrorInvalidValue);
  delete work;
  return fails ? remembered(cudaErrorUnknown) : cudaSuccess;
}

}  // namespace

void set_lazy(bool lazy) {
  const std::lock_guard lock(device_mutex());
  run_everything();
  runtime().lazy = lazy;
}

bool is_stream(cudaStream_t stream) {
  const std::lock_guard lock(device_mutex());
  return runtime().streams.count(stream_of(stream)) != 0;
}

cudaError_t enqueue(cudaStream_t handle, std::function<void()> work) {
  const std::lock_guard lock(device_mutex());
  if (!is_stream(handle)) return remembered(cudaErrorInvalidResourceHandle);
  Stream& stream = *stream_of(handle);
  if (stream.invalid) return remembered(cudaErrorStreamCaptureInvalidated);
  if (stream.capture != nullptr) {
    stream.capture->push_back(std::move(work));
    return cudaSuccess;
  }
  stream.waiting.push_back(std::move(work));
  ++stream.given;
  if (!runtime().lazy) run_until(stream, stream.given);
  return cudaSuccess;
}

std::size_t live_streams() {
  return runtime().streams.size();
}

std::size_t live_events() {
  return runtime().events.size();
}

std::size_t live_graphs() {
  return runtime().graphs.size() + runtime().executables.size();
}

void run_everything() {
  const std::lock_guard lock(device_mutex());
  for (Stream* stream : runtime().streams) run_until(*stream, stream->given);
}

cudaError_t remembered(cudaError_t status) {
  if (status != cudaSuccess) last_error = status;
  return status;
}

void enqueue_kernel(const char* name, dim3 grid, dim3 block, cudaStream_t stream,
                    std::function<void()> check, std::function<void()> body) {
  if (fault(name, __builtin_return_address(0))) {
    remembered(cudaErrorLaunchOutOfResources);
    return;
  }
  if (!launchable(grid, block)) {
    remembered(cudaErrorInvalidConfiguration);
    return;
  }
  enqueue(stream, [name, grid, block, check = std::move(check), body = std::move(body)] {
    check();
    run_grid(name, grid, block, body);
    check_red_zones(name);
  });
}

}  // namespace cuda_on_host

using namespace cuda_on_host;  // NOLINT: the runtime's own functions follow

extern "C" {

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* handle, unsigned) {
  if (fault(__func__, __builtin_return_address(0))) return remembered(cudaErrorUnknown);
  const std::lock_guard lock(device_mutex());
  auto* stream = new Stream;
  runtime().streams.insert(stream);
  *handle = reinterpret_cast<cudaStream_t>(stream);
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t handle) {
  const bool fails = fault(__func__, __builtin_return_address(0));  // reported after the deed
  const std::lock_guard lock(device_mutex());
  if (!is_stream(handle)) return remembered(cudaErrorInvalidResourceHandle);
  Stream* stream = stream_of(handle);
  run_until(*stream, stream->given);
  runtime().streams.erase(stream);
  delete stream;
  return fails ? remembered(cudaErrorUnknown) : cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t handle) {
  if (fault(__func__, __builtin_return_address(0))) return remembered(cudaErrorUnknown);
  const std::lock_guard lock(device_mutex());
  if (!is_stream(handle)) return remembered(cudaErrorInvalidResourceHandle);
  if (refused_in_capture(*stream_of(handle))) return remembered(cudaErrorStreamCaptureUnsupported);
  run_until(*stream_of(handle), stream_of(handle)->given);
  return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t handle, cudaEvent_t event, unsigned) {
  if (fault(__func__, __builtin_return_address(0))) return remembered(cudaErrorUnknown);
  const std::lock_guard lock(device_mutex());
  if (!known(event_of(event)) || !is_stream(handle))
    return remembered(cudaErrorInvalidResourceHandle);
  if (refused_in_capture(*stream_of(handle))) return remembered(cudaErrorStreamCaptureIsolation);
  // What the event stands for now: it may be recorded again before this stream gets there.
  return enqueue(handle, [recorded = *event_of(event)] { run_until(recorded); });
}

cudaError_t cudaStreamBeginCapture(cudaStream_t handle, cudaStreamCaptureMode) {
  if (fault(__func__, __builtin_return_address(0))) return remembered(cudaErrorUnknown);
  const std::lock_guard lock(device_mutex());
  if (!is_stream(handle)) return remembered(cudaErrorInvalidResourceHandle);
  Stream& stream = *stream_of(handle);
  if (stream.capture != nullptr) return remembered(cudaErrorIllegalState);
  stream.capture = std::make_unique<Work>();
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t* graph) {
  const bool fails = fault(__func__, __builtin_return_address(0));  // reported after the deed
  const std::lock_guard lock(device_mutex());
  if (!is_stream(handle)) return remembered(cudaErrorInvalidResourceHandle);
  Stream& stream = *stream_of(handle);
  if (stream.capture == nullptr) return remembered(cudaErrorIllegalState);
  std::unique_ptr<Work> captured = std::move(stream.capture);
  *graph = nullptr;
  if (std::exchange(stream.invalid, false)) return remembered(cudaErrorStreamCaptureInvalidated);
  if (fails) return remembered(cudaErrorUnknown);
  runtime().graphs.insert(captured.get());
  *graph = reinterpret_cast<cudaGraph_t>(captured.release());
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph,
                                 unsigned long long) {
  if (fault(__func__, __builtin_return_address(0))) return remembered(cudaErrorUnknown);
  const std::lock_guard lock(device_mutex());
  auto* work = reinterpret_cast<Work*>(graph);
  if (runtime().graphs.count(work) == 0) return remembered(cudaErrorInvalidValue);
  auto* copy = new Work(*work);
  runtime().executables.insert(copy);
  *executable = reinterpret_cast<cudaGraphExec_t>(copy);
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  if (fault(__func__, __builtin_return_address(0))) return remembered(cudaErrorUnknown);
  const std::lock_guard lock(device_mutex());
  auto* work = reinterpret_cast<Work*>(executable);
  if (runtime().executables.count(work) == 0) return remembered(cudaErrorInvalidValue);
  return enqueue(stream, [all = *work] {
    for (const auto& piece : all) piece();
  });
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  const bool fails = fault(__func__, __builtin_return_address(0));
  return destroyed(runtime().graphs, graph, fails);
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  const bool fails = fault(__func__, __builtin_return_address(0));
  return destroyed(runtime().executables, executable, fails);
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* handle, unsigned) {
  if (fault(__func__, __builtin_return_address(0))) return remembered(cudaErrorUnknown);
  const std::lock_guard lock(device_mutex());
  auto* event = new Event;
  runtime().events.insert(event);
  *handle = reinterpret_cast<cudaEvent_t>(event);
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t handle, cudaStream_t stream) {
  if (fault(__func__, __builtin_return_address(0))) return remembered(cudaErrorUnknown);
  const std::lock_guard lock(device_mutex());
  Event* event = event_of(handle);
  if (!known(event) || !is_stream(stream)) return remembered(cudaErrorInvalidResourceHandle);
  if (refused_in_capture(*stream_of(stream))) return remembered(cudaErrorStreamCaptureUnsupported);
  *event = {stream_of(stream), stream_of(stream)->given};
  return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t handle) {
  if (fault(__func__, __builtin_return_address(0))) return remembered(cudaErrorUnknown);
  const std::lock_guard lock(device_mutex());
  if (!known(event_of(handle))) return remembered(cudaErrorInvalidResourceHandle);
  run_until(*event_of(handle));
  return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int* count) {
  if (fault(__func__, __builtin_return_address(0))) return remembered(cudaErrorUnknown);
  *count = 1;
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) {
  if (fault(__func__, __builtin_return_address(0))) return remembered(cudaErrorUnknown);
  return remembered(device == 0 ? cudaSuccess : cudaErrorInvalidDevice);
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  if (fault(__func__, __builtin_return_address(0))) return remembered(cudaErrorUnknown);
  if (device != 0) return remembered(cudaErrorInvalidDevice);
  *properties = {};
  std::strcpy(properties->name, "an emulated GPU");
  properties->major = 7;
  properties->minor = 5;
  properties->multiProcessorCount = 1;
  properties->totalGlobalMem = std::size_t{8} << 30;
  return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int* version) {
  if (fault(__func__, __builtin_return_address(0))) return remembered(cudaErrorUnknown);
  *version = CUDART_VERSION;
  return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  if (fault(__func__, __builtin_return_address(0))) return remembered(cudaErrorUnknown);
  *version = CUDART_VERSION;
  return cudaSuccess;
}

cudaError_t cudaGetLastError() {
  return std::exchange(last_error, cudaSuccess);
}

const char* cudaGetErrorString(cudaError_t status) {
  switch (status) {
    case cudaSuccess:
      return "no error";
    case cudaErrorInvalidValue:
      return "invalid argument";
    case cudaErrorMemoryAllocation:
      return "out of memory";
    case cudaErrorInvalidConfiguration:
      return "invalid configuration argument";
    case cudaErrorInvalidMemcpyDirection:
      return "invalid copy direction for memcpy";
    case cudaErrorInvalidDevice:
      return "invalid device ordinal";
    case cudaErrorInvalidResourceHandle:
      return "invalid resource handle";
    case cudaErrorLaunchOutOfResources:
      return "too many resources requested for launch";
    case cudaErrorStreamCaptureUnsupported:
    case cudaErrorStreamCaptureInvalidated:
    case cudaErrorStreamCaptureIsolation:
      return "operation not permitted when stream is capturing";
    case cudaErrorUnknown:
      return "unknown error";
    default:
      return "an error that the emulation does not name";
  }
}

}  // extern "C"
