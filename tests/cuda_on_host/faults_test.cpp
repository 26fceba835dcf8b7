// SPDX-License-Identifier: MIT
// Every call that the backend makes of CUDA, cuBLAS and cuDNN, and every launch of a kernel, fails
// once: the error is clear, nothing leaks, and the next attempt succeeds. Each failure happens in a
// process of its own, which starts before the backend does.
#include "cuda_on_host/faults.hpp"

#include <cuda_runtime_api.h>
#include <cudnn.h>
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "atomtrack/tensor/error.hpp"
#include "atomtrack/tensor/memory.hpp"
#include "cuda_on_host/child_process.hpp"
#include "cuda_on_host/whole_backend.hpp"

using namespace atomtrack;
using cuda_on_host::ApiCall;

namespace {

/// What `work` returns when it runs in a child process, or how that ended.
std::string in_child(const std::function<std::string()>& work) {
  const cuda_on_host::Child child = cuda_on_host::run_child([&](int end) {
    const std::string text = work();
    std::size_t sent = 0;
    while (sent < text.size()) {
      const ssize_t part = write(end, text.data() + sent, text.size() - sent);
      if (part <= 0) _exit(1);
      sent += static_cast<std::size_t>(part);
    }
  });
  const int status = child.status;
  if (WIFSIGNALED(status)) return "killed by signal " + std::to_string(WTERMSIG(status));
  return WEXITSTATUS(status) == 0 ? child.text
                                  : "ended with " + std::to_string(WEXITSTATUS(status));
}

std::vector<ApiCall> parse(const std::string& text) {
  std::vector<ApiCall> calls;
  std::istringstream lines(text);
  ApiCall call;
  std::uintptr_t site = 0;
  while (lines >> call.function >> site) {
    call.site = reinterpret_cast<const void*>(site);
    calls.push_back(call);
  }
  return calls;
}

std::string printed(const std::vector<ApiCall>& calls) {
  std::string text;
  for (const ApiCall& call : calls)
    text +=
        call.function + " " + std::to_string(reinterpret_cast<std::uintptr_t>(call.site)) + "\n";
  return text;
}

/// The calls of a run without failures, from the very first use of the backend on.
std::vector<ApiCall> all_calls() {
  return parse(in_child([] {
    cuda_on_host::start_recording();
    cuda_on_host::use_whole_backend();
    return printed(cuda_on_host::recorded_calls());
  }));
}

/// The name by which messages call a function: without the version that a header's macro adds.
std::string plain_name(std::string function) {
  if (function.ends_with("_v2")) function.resize(function.size() - 3);
  return function;
}

/// Functions whose failure loses nothing that the caller asked for: for memory the pool asks again
/// once it has given back what it holds.
bool may_be_silent(const std::string& function) {
  return function == "cudaMalloc" || function == "cudaFree" || function == "cudaMemGetInfo" ||
         function.find("Destroy") != std::string::npos;
}

struct Held {
  cuda_on_host::LiveObjects live;
  std::size_t in_use = 0;
};

/// What is alive when nobody uses anything.
Held held() {
  release_cached_memory(Device::cuda(0));
  return {cuda_on_host::live_objects(), pool_statistics(Device::cuda(0)).in_use};
}

std::string leaks(const Held& before, const Held& after) {
  std::string text;
  const auto compare = [&](const char* what, std::size_t was, std::size_t is) {
    if (is > was)
      text += std::to_string(is) + " " + what + " instead of " + std::to_string(was) + "; ";
  };
  compare("streams", before.live.streams, after.live.streams);
  compare("events", before.live.events, after.live.events);
  compare("graphs", before.live.graphs, after.live.graphs);
  compare("handles", before.live.handles, after.live.handles);
  compare("descriptors", before.live.descriptors, after.live.descriptors);
  compare("pinned blocks", before.live.pinned, after.live.pinned);
  compare("allocations", before.live.allocations, after.live.allocations);
  compare("bytes in use", before.in_use, after.in_use);
  return text;
}

/// What a run without failures gives and leaves behind.
struct Healthy {
  std::vector<double> results;
  Held held;
};

/// One failure, then one run: nothing to say if all is well.
std::string complaints(const Healthy& healthy, std::size_t number, const std::string& function,
                       const std::string& then) {
  cuda_on_host::start_recording();
  cuda_on_host::plan_fault(number, then);
  std::string message;
  try {
    if (cuda_on_host::use_whole_backend() != healthy.results) return "wrong results, and no error";
  } catch (const DeviceError& error) {
    message = error.what();
  } catch (const std::exception& error) {
    return std::string("not a DeviceError: ") + error.what();
  }
  if (!cuda_on_host::faults_happened()) return "the failure did not come about";
  if (message.empty() && !may_be_silent(function)) return "the failure was not noticed";
  const bool named = message.find(plain_name(function)) != std::string::npos ||
                     (function == "cudaMalloc" && message.starts_with("out of memory"));
  if (!message.empty() && !named) return "does not name the call: " + message;
  if (cudaGetLastError() != cudaSuccess) return "the runtime's error was left for the next call";
  try {
    if (cuda_on_host::use_whole_backend() != healthy.results) return "wrong results afterwards";
  } catch (const std::exception& error) {
    return std::string("does not work afterwards: ") + error.what();
  }
  return leaks(healthy.held, held());
}

Healthy measured() {
  Healthy healthy;
  healthy.results = cuda_on_host::use_whole_backend();
  cuda_on_host::use_whole_backend();
  healthy.held = held();
  return healthy;
}

std::string to_text(const Healthy& healthy) {
  std::ostringstream text;
  text << std::hexfloat;
  const auto& live = healthy.held.live;
  text << live.streams << ' ' << live.events << ' ' << live.graphs << ' ' << live.handles << ' '
       << live.descriptors << ' ' << live.pinned << ' ' << live.allocations << ' '
       << healthy.held.in_use;
  for (const double value : healthy.results) text << ' ' << value;
  return text.str();
}

Healthy from_text(const std::string& text) {
  std::istringstream in(text);
  Healthy healthy;
  auto& live = healthy.held.live;
  in >> live.streams >> live.events >> live.graphs >> live.handles >> live.descriptors >>
      live.pinned >> live.allocations >> healthy.held.in_use;
  for (std::string word; in >> word;)
    healthy.results.push_back(std::strtod(word.c_str(), nullptr));  // streams read no hexfloat
  return healthy;
}

/// Every function of the libraries and every kernel that the backend's sources name.
std::set<std::string> named_in_sources() {
  std::set<std::string> names;
  const std::regex call(R"re(\b((?:cuda|cudnn|cublas)[A-Z]\w*)\(|launch\("(\w+)")re");
  for (const auto& file : std::filesystem::directory_iterator(ATOMTRACK_SOURCE_DIR "/cuda")) {
    std::ifstream in(file.path());
    const std::string text(std::istreambuf_iterator<char>(in), {});
    for (std::sregex_iterator at(text.begin(), text.end(), call), end; at != end; ++at)
      names.insert((*at)[1].matched ? (*at)[1].str() : (*at)[2].str());
  }
  // Questions that cannot fail.
  for (const char* name : {"cudaGetLastError", "cudaGetErrorString", "cudnnGetErrorString",
                           "cublasGetStatusString", "cudnnGetVersion"})
    names.erase(name);
  return names;
}

/// Of the calls of one function at one place: the first two and the last.
std::vector<std::size_t> chosen(const std::vector<ApiCall>& calls) {
  std::map<std::pair<std::string, const void*>, std::vector<std::size_t>> of_site;
  for (std::size_t i = 0; i < calls.size(); ++i)
    of_site[{calls[i].function, calls[i].site}].push_back(i);
  std::vector<std::size_t> numbers;
  for (const auto& [site, all] : of_site) {
    for (std::size_t i = 0; i < all.size(); ++i)
      if (i < 2 || i + 1 == all.size()) numbers.push_back(all[i]);
  }
  return numbers;
}

}  // namespace

TEST_CASE("every call fails once: a clear error, no leak, and the next attempt succeeds") {
  // The library loads its parts when it is first called: here, once for all children.
  cudnnTensorDescriptor_t descriptor = nullptr;
  REQUIRE(cudnnCreateTensorDescriptor(&descriptor) == CUDNN_STATUS_SUCCESS);
  REQUIRE(cudnnDestroyTensorDescriptor(descriptor) == CUDNN_STATUS_SUCCESS);
  const std::vector<ApiCall> calls = all_calls();
  REQUIRE(calls.size() > 100);
  const Healthy healthy = from_text(in_child([] { return to_text(measured()); }));
  REQUIRE(!healthy.results.empty());

  std::set<std::string> failed;
  const auto fail = [&](std::size_t number, const std::string& then) {
    const std::string& function = calls[number].function;
    CAPTURE(number);
    CAPTURE(function);
    CAPTURE(then);
    const std::string wrong = in_child([&] { return complaints(healthy, number, function, then); });
    CHECK(wrong == "");
    failed.insert(plain_name(function));
    if (!then.empty()) failed.insert(plain_name(then));
  };
  const auto first_of = [&](const std::string& function) {
    for (std::size_t i = 0; i < calls.size(); ++i)
      if (calls[i].function == function) return i;
    FAIL("never called: ", function);
    return std::size_t{0};
  };
  for (const std::size_t number : chosen(calls)) fail(number, "");
  // What is called only to clean up after a failure, or to explain it, fails on top of that.
  fail(first_of("cudaEventCreateWithFlags"), "cudaStreamDestroy");
  fail(first_of("cudnnSetStream"), "cudnnDestroy");
  fail(first_of("cublasSetStream_v2"), "cublasDestroy_v2");
  fail(first_of("cudaMalloc"), "cudaMemGetInfo");

  for (const std::string& name : named_in_sources()) {
    CAPTURE(name);
    CHECK(failed.count(name) == 1);
  }
}
