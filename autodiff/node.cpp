// SPDX-License-Identifier: MIT
#include "atomtrack/autodiff/node.hpp"

#include <array>

namespace atomtrack::detail {
namespace {

constexpr std::size_t granule = 64;
constexpr std::size_t classes =
    16;  // nodes of up to 1 KiB are kept; larger ones go back to the heap

struct FreeNode {
  FreeNode* next;
};

// Trivially destructible, so that nodes freed while a thread ends still find it; `Drain` empties it
// before that.
thread_local std::array<FreeNode*, classes> free_lists{};
thread_local bool draining = false;

struct Drain {
  ~Drain() {
    draining = true;
    for (FreeNode*& head : free_lists) {
      while (head != nullptr) ::operator delete(std::exchange(head, head->next));
    }
  }
};

std::size_t size_class(std::size_t bytes) {
  return (bytes - 1) / granule;
}

}  // namespace

void* allocate_node(std::size_t bytes) {
  thread_local Drain drain;
  const std::size_t index = size_class(bytes);
  if (index >= classes) return ::operator new(bytes);
  FreeNode*& head = free_lists[index];
  if (head != nullptr) return std::exchange(head, head->next);
  return ::operator new((index + 1) * granule);
}

void free_node(void* node, std::size_t bytes) noexcept {
  const std::size_t index = size_class(bytes);
  if (index >= classes || draining) {
    ::operator delete(node);
  } else {
    free_lists[index] = new (node) FreeNode{free_lists[index]};
  }
}

template <class T>
std::uint64_t Node<T>::next_sequence() {
  static std::atomic<std::uint64_t> counter{0};
  return counter.fetch_add(1, std::memory_order_relaxed);
}

// Disposing of a node releases its inputs, which may die in turn: they are queued and not descended
// into.
template <class T>
void Node<T>::release(Node* node) noexcept {
  if (node->references_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  thread_local Node* dead = nullptr;
  thread_local bool disposing = false;
  node->next_dead_ = dead;
  dead = node;
  if (disposing) return;
  disposing = true;
  while (dead != nullptr) {
    Node* const next = std::exchange(dead, dead->next_dead_);
    next->dispose();
  }
  disposing = false;
}

template class Node<float>;
template class Node<double>;

}  // namespace atomtrack::detail
