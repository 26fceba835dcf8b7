// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <initializer_list>
#include <type_traits>
#include <vector>

#include "atomtrack/autodiff/node.hpp"
#include "atomtrack/primitives/primitives.hpp"
#include "atomtrack/tensor/tensor.hpp"

namespace atomtrack {

/// A tensor value plus, when it needs a gradient, the node that made it.
///
/// A Variable made from a Tensor is a constant; `leaf` makes one that gradients can be asked for.
/// The functions of autodiff/operations.hpp record a node whenever one of their inputs has one.
/// Values are never changed in place. A graph belongs to one thread at a time.
template <class T>
class Variable {
 public:
  Variable() = default;
  Variable(Tensor<T> constant) : value_(std::move(constant)) {}  // NOLINT: a tensor is a constant
  Variable(Tensor<T> value, detail::NodeRef<T> node)
      : value_(std::move(value)), node_(std::move(node)) {}

  static Variable leaf(Tensor<T> value);

  bool defined() const { return value_.defined(); }
  const Tensor<T>& value() const { return value_; }
  const Shape& shape() const { return value_.shape(); }
  std::int64_t extent(std::ptrdiff_t axis) const { return value_.extent(axis); }
  Device device() const { return value_.device(); }
  bool needs_gradient() const { return static_cast<bool>(node_); }

  /// The same value as a constant ("treat as constant" in Algorithm 1).
  Variable detach() const { return Variable(value_); }

  const detail::NodeRef<T>& node() const { return node_; }

 private:
  Tensor<T> value_;
  detail::NodeRef<T> node_;
};

/// While one of these lives, operations on this thread record nothing: results are constants.
class RecordingPaused {
 public:
  RecordingPaused();
  ~RecordingPaused();
  RecordingPaused(const RecordingPaused&) = delete;
  RecordingPaused& operator=(const RecordingPaused&) = delete;

  static bool active();

 private:
  bool before_;
};

namespace detail {

template <class T>
class LeafNode final : public Node<T> {
 public:
  LeafNode() : Node<T>("leaf") {}
  Variable<T> vjp(std::size_t, const Variable<T>& gradient) const override { return gradient; }
  std::span<const NodeRef<T>> inputs() const override { return {}; }

  static void* operator new(std::size_t bytes) { return allocate_node(bytes); }
  static void operator delete(void* node, std::size_t bytes) { free_node(node, bytes); }

 private:
  void dispose() noexcept override { delete this; }
};

template <class T, std::size_t N, class Vjp>
class OperationNode final : public Node<T> {
 public:
  OperationNode(const char* operation, const std::array<const Variable<T>*, N>& inputs, Vjp vjp)
      : Node<T>(operation), vjp_(std::move(vjp)) {
    for (std::size_t i = 0; i < N; ++i) inputs_[i] = inputs[i]->node();
  }
  Variable<T> vjp(std::size_t input, const Variable<T>& gradient) const override {
    return vjp_(input, gradient);
  }
  std::span<const NodeRef<T>> inputs() const override { return inputs_; }

  static void* operator new(std::size_t bytes) { return allocate_node(bytes); }
  static void operator delete(void* node, std::size_t bytes) { free_node(node, bytes); }

 private:
  void dispose() noexcept override { delete this; }

  std::array<NodeRef<T>, N> inputs_;
  Vjp vjp_;
};

template <class T, class Vjp>
class VariadicNode final : public Node<T> {
 public:
  VariadicNode(const char* operation, std::span<const Variable<T>> inputs, Vjp vjp)
      : Node<T>(operation), vjp_(std::move(vjp)) {
    inputs_.reserve(inputs.size());
    for (const Variable<T>& input : inputs) inputs_.push_back(input.node());
  }
  Variable<T> vjp(std::size_t input, const Variable<T>& gradient) const override {
    return vjp_(input, gradient);
  }
  std::span<const NodeRef<T>> inputs() const override { return inputs_; }

  static void* operator new(std::size_t bytes) { return allocate_node(bytes); }
  static void operator delete(void* node, std::size_t bytes) { free_node(node, bytes); }

 private:
  void dispose() noexcept override { delete this; }

  std::vector<NodeRef<T>> inputs_;
  Vjp vjp_;
};

}  // namespace detail

/// The result `value` of an operation on `inputs`, recorded if any of them needs a gradient.
/// `vjp(i, g)` is the vector-Jacobian product: given the gradient g of the result (its shape), the
/// gradient for input i (that input's shape), written in differentiable operations, so that
/// gradients of gradients are just gradients. It captures by value whatever it needs.
template <class T, class Vjp, class... Inputs>
Variable<T> record(const char* operation, Tensor<T> value, Vjp vjp, const Variable<T>& first,
                   const Inputs&... rest) {
  const bool needed = (first.needs_gradient() || ... || rest.needs_gradient());
  if (!needed || RecordingPaused::active()) return Variable<T>(std::move(value));
  constexpr std::size_t count = 1 + sizeof...(rest);
  using NodeType = detail::OperationNode<T, count, Vjp>;
  const std::array<const Variable<T>*, count> inputs{&first, &rest...};
  return Variable<T>(std::move(value),
                     detail::NodeRef<T>(new NodeType(operation, inputs, std::move(vjp))));
}

/// The same for any number of inputs (concatenation).
template <class T, class Vjp>
Variable<T> record_all(const char* operation, Tensor<T> value, Vjp vjp,
                       std::span<const Variable<T>> inputs) {
  bool needed = false;
  for (const Variable<T>& input : inputs) needed = needed || input.needs_gradient();
  if (!needed || RecordingPaused::active()) return Variable<T>(std::move(value));
  using NodeType = detail::VariadicNode<T, Vjp>;
  return Variable<T>(std::move(value),
                     detail::NodeRef<T>(new NodeType(operation, inputs, std::move(vjp))));
}

template <class T>
Variable<T> Variable<T>::leaf(Tensor<T> value) {
  return Variable(std::move(value), detail::NodeRef<T>(new detail::LeafNode<T>()));
}

extern template class Variable<float>;
extern template class Variable<double>;

}  // namespace atomtrack
