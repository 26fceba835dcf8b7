// SPDX-License-Identifier: MIT
#include "atomtrack/autodiff/backprop.hpp"

#include <algorithm>
#include <optional>

#include "atomtrack/autodiff/elementwise.hpp"

namespace atomtrack {
namespace {

thread_local bool recording_paused = false;
thread_local std::uint64_t calls = 0;

/// The nodes from which `root` was made, `root` included, in the order of their creation (inputs
/// before results).
template <class T>
void collect(detail::Node<T>* root, std::vector<detail::Node<T>*>& nodes) {
  // `slot` marks what has been seen: a node stands at its own slot of `nodes`, or has not been
  // seen.
  const auto seen = [&](const detail::Node<T>* node) {
    return node->slot < nodes.size() && nodes[node->slot] == node;
  };
  const auto see = [&](detail::Node<T>* node) {
    node->slot = nodes.size();
    nodes.push_back(node);
  };
  nodes.clear();
  see(root);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    for (const detail::NodeRef<T>& input : nodes[i]->inputs()) {
      if (input && !seen(input.get())) see(input.get());
    }
  }
  std::sort(nodes.begin(), nodes.end(),
            [](const auto* a, const auto* b) { return a->sequence() < b->sequence(); });
  for (std::size_t i = 0; i < nodes.size(); ++i) nodes[i]->slot = i;
}

/// Working memory of one back-propagation, kept per thread so that a repeated one allocates
/// nothing.
template <class T>
struct Workspace {
  std::vector<detail::Node<T>*> nodes;
  std::vector<char> on_path;  // from one of v to s
  std::vector<Variable<T>> gradients;
};

template <class T>
Workspace<T>& workspace() {
  thread_local Workspace<T> instance;
  return instance;
}

template <class T>
bool stands_in(const detail::Node<T>* node, const std::vector<detail::Node<T>*>& nodes) {
  return node->slot < nodes.size() && nodes[node->slot] == node;
}

template <class T>
void mark_paths(Workspace<T>& work, std::span<const Variable<T>> v) {
  work.on_path.assign(work.nodes.size(), 0);
  for (const Variable<T>& variable : v) {
    if (stands_in(variable.node().get(), work.nodes)) work.on_path[variable.node()->slot] = 1;
  }
  for (std::size_t i = 0; i < work.nodes.size(); ++i) {
    for (const detail::NodeRef<T>& input : work.nodes[i]->inputs()) {
      if (input && work.on_path[input->slot] != 0) work.on_path[i] = 1;
    }
  }
}

/// Pulls the gradient of the root back to every node on a path. Afterwards `gradients` holds the
/// sums at the v.
template <class T>
void pull_back(Workspace<T>& work, std::span<const Variable<T>> v) {
  const auto asked_for = [&](const detail::Node<T>* node) {
    return std::any_of(v.begin(), v.end(),
                       [&](const auto& variable) { return variable.node().get() == node; });
  };
  for (std::size_t i = work.nodes.size(); i-- > 0;) {
    const detail::Node<T>* node = work.nodes[i];
    if (work.on_path[i] == 0 || !work.gradients[i].defined()) continue;
    const Variable<T> gradient = work.gradients[i];
    if (!asked_for(node)) work.gradients[i] = Variable<T>();  // frees memory early
    const std::span<const detail::NodeRef<T>> inputs = node->inputs();
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      if (!inputs[k] || work.on_path[inputs[k]->slot] == 0) continue;
      const Variable<T> contribution = node->vjp(k, gradient);
      Variable<T>& sum = work.gradients[inputs[k]->slot];
      sum = sum.defined() ? add(sum, contribution) : contribution;
    }
  }
}

template <class T>
std::vector<Variable<T>> run(const Variable<T>& y, const Variable<T>& gradient,
                             std::span<const Variable<T>> v, Differentiable differentiable) {
  for (const Variable<T>& variable : v) {
    require<ShapeError>(
        variable.needs_gradient(),
        "backprop: a variable asked for is a constant; make it with Variable::leaf");
  }
  ++calls;
  std::optional<RecordingPaused> paused;
  if (differentiable == Differentiable::no) paused.emplace();

  // A nested call (from a user's vjp) gets a workspace of its own.
  Workspace<T> work = std::move(workspace<T>());
  workspace<T>() = {};
  std::vector<Variable<T>> results;
  results.reserve(v.size());
  if (y.needs_gradient()) {
    collect(y.node().get(), work.nodes);
    mark_paths(work, v);
    work.gradients.assign(work.nodes.size(), Variable<T>());
    work.gradients[y.node()->slot] = gradient;
    pull_back(work, v);
  } else {
    work.nodes.clear();
  }
  for (const Variable<T>& variable : v) {
    const detail::Node<T>* node = variable.node().get();
    const bool reached = stands_in(node, work.nodes) && work.gradients[node->slot].defined();
    results.push_back(reached ? work.gradients[node->slot]
                              : Variable<T>(Tensor<T>::zeros(variable.shape(), variable.device())));
  }
  work.gradients.clear();
  workspace<T>() = std::move(work);
  return results;
}

}  // namespace

RecordingPaused::RecordingPaused() : before_(recording_paused) {
  recording_paused = true;
}
RecordingPaused::~RecordingPaused() {
  recording_paused = before_;
}
bool RecordingPaused::active() {
  return recording_paused;
}

std::uint64_t backprop_calls() {
  return calls;
}

template <class T>
std::vector<Variable<T>> backprop(const Variable<T>& s, std::span<const Variable<T>> v,
                                  Differentiable differentiable) {
  require<ShapeError>(s.shape().numel() == 1, "backprop of a value of shape ", s.shape(),
                      ": expected a scalar; for other shapes use backprop_from");
  return run(s, Variable<T>(Tensor<T>::full(s.shape(), T{1}, s.device())), v, differentiable);
}

template <class T>
std::vector<Variable<T>> backprop_from(const Variable<T>& y, const Variable<T>& gradient,
                                       std::span<const Variable<T>> v,
                                       Differentiable differentiable) {
  require<ShapeError>(gradient.shape() == y.shape(), "backprop_from: a gradient of shape ",
                      gradient.shape(), " for a value of shape ", y.shape());
  return run(y, gradient, v, differentiable);
}

template class Variable<float>;
template class Variable<double>;
template std::vector<Variable<float>> backprop(const Variable<float>&,
                                               std::span<const Variable<float>>, Differentiable);
template std::vector<Variable<double>> backprop(const Variable<double>&,
                                                std::span<const Variable<double>>, Differentiable);
template std::vector<Variable<float>> backprop_from(const Variable<float>&, const Variable<float>&,
                                                    std::span<const Variable<float>>,
                                                    Differentiable);
template std::vector<Variable<double>> backprop_from(const Variable<double>&,
                                                     const Variable<double>&,
                                                     std::span<const Variable<double>>,
                                                     Differentiable);

}  // namespace atomtrack
