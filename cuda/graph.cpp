// SPDX-License-Identifier: MIT
#include "cuda/graph.hpp"

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
  Graph(int index, cudaGraphExec_t graph) : index_(index), graph_(graph) {}
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
};

}  // namespace

bool begin_capture(cudaStream_t stream) {
  // Relaxed: the pool may have to ask for memory in between.
  const cudaError_t status = cudaStreamBeginCapture(stream, cudaStreamCaptureModeRelaxed);
  if (not_capturable(status)) {
    ignore(status);
    return false;
  }
  check(status, "cudaStreamBeginCapture");
  return true;
}

std::unique_ptr<RecordedWork> end_capture(int index, cudaStream_t stream) {
  cudaGraph_t captured = nullptr;
  const cudaError_t ended = cudaStreamEndCapture(stream, &captured);
  if (not_capturable(ended)) {
    ignore(ended);
    return nullptr;
  }
  check(ended, "cudaStreamEndCapture");
  cudaGraphExec_t graph = nullptr;
  const cudaError_t made = cudaGraphInstantiate(&graph, captured, 0);
  ignore(cudaGraphDestroy(captured));
  check(made, "cudaGraphInstantiate");
  return std::make_unique<Graph>(index, graph);
}

}  // namespace atomtrack::cuda
