// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <utility>

namespace atomtrack {

template <class T>
class Variable;

namespace detail {

/// Memory for graph nodes: freed nodes are kept per thread and reused, so a repeated graph
/// allocates nothing after its first pass.
void* allocate_node(std::size_t bytes);
void free_node(void* node, std::size_t bytes) noexcept;

template <class T>
class Node;

/// Shared ownership of a node. Graphs of any depth are freed without recursion.
template <class T>
class NodeRef {
 public:
  NodeRef() = default;
  /// Takes over the reference that a new node is born with.
  explicit NodeRef(Node<T>* fresh) : node_(fresh) {}
  NodeRef(const NodeRef& other) : node_(other.node_) {
    if (node_ != nullptr) node_->retain();
  }
  NodeRef(NodeRef&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
  NodeRef& operator=(NodeRef other) noexcept {
    std::swap(node_, other.node_);
    return *this;
  }
  ~NodeRef() {
    if (node_ != nullptr) Node<T>::release(node_);
  }

  explicit operator bool() const { return node_ != nullptr; }
  Node<T>* get() const { return node_; }
  Node<T>* operator->() const { return node_; }
  friend bool operator==(const NodeRef&, const NodeRef&) = default;

 private:
  Node<T>* node_ = nullptr;
};

/// One recorded operation, or a leaf (no inputs). Inputs that need no gradient have an empty
/// reference.
template <class T>
class Node {
 public:
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  /// The gradient for input `input` given the gradient of the result. Called only for inputs that
  /// need one.
  virtual Variable<T> vjp(std::size_t input, const Variable<T>& gradient) const = 0;
  virtual std::span<const NodeRef<T>> inputs() const = 0;

  const char* operation() const { return operation_; }
  /// Grows with creation: a node's inputs always have smaller numbers.
  std::uint64_t sequence() const { return sequence_; }

  void retain() { references_.fetch_add(1, std::memory_order_relaxed); }
  static void release(Node* node) noexcept;

  /// Scratch of the back-propagation that is running: this node's place in its order.
  std::size_t slot = 0;

 protected:
  explicit Node(const char* operation) : operation_(operation), sequence_(next_sequence()) {}
  virtual ~Node() = default;
  /// Destroys the node and returns its memory.
  virtual void dispose() noexcept = 0;

 private:
  static std::uint64_t next_sequence();

  std::atomic<std::uint32_t> references_{1};
  const char* operation_;
  std::uint64_t sequence_;
  Node* next_dead_ = nullptr;
};

extern template class Node<float>;
extern template class Node<double>;

}  // namespace detail
}  // namespace atomtrack
