// SPDX-License-Identifier: MIT
#include "cuda/graph.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "cuda/context.hpp"

namespace atomtrack::cuda {
namespace {

/// Whether an error says that what was asked for cannot be part of a capture.
bool not_capturable(cudaError_t status) {
  return status == cudaErrorNotSupported || (status >= cudaErrorStreamCaptureUnsupported &&
                                             status <= cudaErrorStreamCaptureWrongThread);
}

class Graph final : public RecordedWork {
 public:
  Graph(int index, cudaGraphExec_t graph, std::unique_ptr<PinnedCopies> copies)
      : index_(index), graph_(graph), copies_(std::move(copies)) {}
  // CUDA lets it finish first if it is running.
  ~Graph() override { ignore(cudaGraphExecDestroy(graph_)); }
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  void repeat() override {
    check(cudaGraphLaunch(graph_, current_context(index_).stream()), "cudaGraphLaunch");
  }

 private:
  int index_;
  cudaGraphExec_t graph_;
  std::unique_ptr<PinnedCopies> copies_;
};

}  // namespace

PinnedCopies::~PinnedCopies() {
  for (std::byte* piece : pieces_) ignore(cudaFreeHost(piece));  // waits for the device
}

const void* PinnedCopies::keep(const void* host, std::size_t bytes) {
  constexpr std::size_t smallest_piece = std::size_t{16} << 10, alignment = 16;
  if (piece_bytes_ - used_ < bytes) {
    piece_bytes_ = std::max(bytes, smallest_piece);
    used_ = 0;
    pieces_.reserve(pieces_.size() + 1);
    void* piece = nullptr;
    check(cudaMallocHost(&piece, piece_bytes_), "cudaMallocHost");
    pieces_.push_back(static_cast<std::byte*>(piece));
  }
  std::byte* copy = pieces_.back() + used_;
  std::memcpy(copy, host, bytes);
  used_ = std::min(piece_bytes_, (used_ + bytes + alignment - 1) / alignment * alignment);
  return copy;
}

Capture::Capture(int index, cudaStream_t stream)
    : index_(index), stream_(stream), copies_(std::make_unique<PinnedCopies>()) {}

bool Capture::begin() {
  // Relaxed: the pool may have to ask for memory in between.
  const cudaError_t status = cudaStreamBeginCapture(stream_, cudaStreamCaptureModeRelaxed);
  if (not_capturable(status)) {
    ignore(status);
    return false;
  }
  check(status, "cudaStreamBeginCapture");
  return true;
}

void Capture::upload(void* device, const void* host, std::size_t bytes) {
  check(cudaMemcpyAsync(device, copies_->keep(host, bytes), bytes, cudaMemcpyHostToDevice, stream_),
        "cudaMemcpyAsync");
}

std::unique_ptr<RecordedWork> Capture::end() {
  cudaGraph_t captured = nullptr;
  const cudaError_t ended = cudaStreamEndCapture(stream_, &captured);
  if (not_capturable(ended)) {
    ignore(ended);
    return nullptr;
  }
  check(ended, "cudaStreamEndCapture");
  cudaGraphExec_t graph = nullptr;
  const cudaError_t made = cudaGraphInstantiate(&graph, captured, 0);
  ignore(cudaGraphDestroy(captured));
  check(made, "cudaGraphInstantiate");
  return std::make_unique<Graph>(index_, graph, std::move(copies_));
}

}  // namespace atomtrack::cuda
