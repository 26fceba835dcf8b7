// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "atomtrack/primitives/primitives.hpp"

// The conformance suite: a case is written once, as a function of a Bench, and run on every backend
// of the build and on `reference` in double, whose results are what the others are held to.

namespace atomtrack::test {

/// How far a result may be from the reference's: so many machine epsilons of its elements' type,
/// times the largest magnitude in the result (or, `per_element`, times each element's own).
struct Tolerance {
  double epsilons = 0.0;
  bool per_element = false;
};

/// Bit-for-bit agreement up to the conversion from double.
constexpr Tolerance exact{};

/// An array that a case hands to a primitive: a view of the middle of a larger block, so that reads
/// outside pick up NaN and writes outside are noticed.
class Buffer {
 public:
  virtual ~Buffer() = default;
  virtual bool is_result() const = 0;
  virtual Shape shape() const = 0;
  virtual std::vector<double> values() const = 0;
  virtual bool guards_intact() const = 0;
  virtual bool unchanged() const = 0;
  virtual std::string_view name() const = 0;
  /// The machine epsilon of the elements' type (0 for integers).
  virtual double epsilon() const = 0;
  /// A number as the elements' type holds it.
  virtual double rounded(double value) const = 0;
};

/// The arguments of one case on one backend. The contents of an array depend on its name and shape
/// alone and are the same numbers for float and double.
template <class T>
class Bench {
 public:
  using Scalar = T;
  explicit Bench(Device device) : device_(device) {}

  Primitives<T>& primitives() const { return primitives_for<T>(device_); }
  Device device() const { return device_; }

  /// Arguments that must come back unchanged: uniform in [low, high), or as listed.
  Tensor<T> source(const std::string& name, const Shape& shape, double low = -1.0,
                   double high = 1.0);
  Tensor<T> source(const std::string& name, const Shape& shape, const std::vector<double>& values);
  Tensor<double> scalar_source(const std::string& name, double value);
  Tensor<double> double_source(const std::string& name, const Shape& shape,
                               const std::vector<double>& values);
  Tensor<std::int32_t> index_source(const std::string& name, const Shape& shape,
                                    const std::vector<double>& values);
  Tensor<std::uint8_t> byte_source(const std::string& name, const Shape& shape);

  /// Destinations, compared with the reference's. Poisoned with NaN, or, where the primitive reads
  /// them first, uniform in [-1, 1).
  Tensor<T> result(const std::string& name, const Shape& shape, Write write = Write::overwrite);
  Tensor<double> scalar_result(const std::string& name, Write write = Write::overwrite);
  Tensor<std::int32_t> index_result(const std::string& name, const Shape& shape);
  /// A destination that starts with a source's contents: for primitives that work in place.
  Tensor<T> in_place(const std::string& name, const Shape& shape, double low = -1.0,
                     double high = 1.0);

  const std::vector<std::unique_ptr<Buffer>>& buffers() const { return buffers_; }

 private:
  template <class U>
  Tensor<U> add(const std::string& name, const Shape& shape, const std::vector<U>& values,
                bool is_result);

  Device device_;
  std::vector<std::unique_ptr<Buffer>> buffers_;
};

extern template class Bench<float>;
extern template class Bench<double>;

/// Every device of this machine that has a backend, `reference` and `cpu` first.
const std::vector<Device>& devices_under_test();

/// What is wrong with a finished case: arrays written outside, sources changed, results too far
/// from `oracle`'s. One line each.
template <class T>
std::vector<std::string> complaints(const Bench<T>& bench, const Bench<double>& oracle,
                                    Tolerance tolerance);
/// What is wrong after a call that should have thrown: arrays that changed.
template <class T>
std::vector<std::string> changes(const Bench<T>& bench);

/// Whether the environment's ATOMTRACK_CASE (unset, or a part of the label) asks for this case.
bool selected(const std::string& label);
/// Reports a line to doctest as a failure, with what to type to see it again.
void report(const std::string& label, const std::string& complaint);
/// Notes to doctest that a case has passed, so that its counters show what ran.
void report_pass();

template <class T>
std::string backend_name(Device device) {
  return concatenate(device, std::is_same_v<T, float> ? " float " : " double ");
}

template <class T, class Case>
void conform_on(Device device, const std::string& name, const Bench<double>& oracle,
                Tolerance tolerance, const Case& body) {
  const std::string label = backend_name<T>(device) + name;
  if (!selected(label)) return;
  try {
    Bench<T> bench(device);
    body(bench);
    const std::vector<std::string> lines = complaints(bench, oracle, tolerance);
    for (const std::string& line : lines) report(label, line);
    if (lines.empty()) report_pass();
  } catch (const std::exception& error) {
    report(label, concatenate("threw: ", error.what()));
  }
}

/// Runs `body(bench)` on every backend and holds each to the reference in double. `name` says all
/// of a case's parameters.
template <class Case>
void conform(const std::string& name, Tolerance tolerance, const Case& body) {
  Bench<double> oracle(Device::reference());
  try {
    body(oracle);
  } catch (const std::exception& error) {
    report(backend_name<double>(Device::reference()) + name, concatenate("threw: ", error.what()));
    return;
  }
  for (const std::string& line : complaints(oracle, oracle, tolerance))
    report(backend_name<double>(Device::reference()) + name, line);
  for (const Device device : devices_under_test()) {
    conform_on<float>(device, name, oracle, tolerance, body);
    if (!(device == Device::reference())) conform_on<double>(device, name, oracle, tolerance, body);
  }
}

template <class E, class T, class Case>
void rejects_on(Device device, const std::string& name, const Case& body) {
  const std::string label = backend_name<T>(device) + name;
  if (!selected(label)) return;
  Bench<T> bench(device);
  try {
    body(bench);
    report(label, "was accepted");
    return;
  } catch (const E&) {
    for (const std::string& line : changes(bench)) report(label, line);
    report_pass();
  } catch (const std::exception& error) {
    report(label, concatenate("threw another kind of error: ", error.what()));
  }
}

/// Runs `body(bench)`, a call with arguments that do not fit, on every backend: it must throw E and
/// leave every array as it was.
template <class E, class Case>
void rejects(const std::string& name, const Case& body) {
  for (const Device device : devices_under_test()) {
    rejects_on<E, float>(device, name, body);
    rejects_on<E, double>(device, name, body);
  }
}

}  // namespace atomtrack::test
