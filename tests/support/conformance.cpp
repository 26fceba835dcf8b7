// SPDX-License-Identifier: MIT
#include "support/conformance.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "support/hash_generator.hpp"

namespace atomtrack::test {
namespace {

// Not a multiple of a vector register: a primitive must not count on aligned arrays, because a
// slice is not.
constexpr std::int64_t guard = 37;

template <class U>
U guard_value() {
  if constexpr (std::numeric_limits<U>::has_quiet_NaN) return std::numeric_limits<U>::quiet_NaN();
  return static_cast<U>(0x5A);
}

template <class U>
class GuardedBuffer final : public Buffer {
 public:
  GuardedBuffer(const std::string& name, const Shape& shape, const std::vector<U>& values,
                bool is_result, Device device)
      : name_(name), shape_(shape), is_result_(is_result) {
    initial_.assign(static_cast<std::size_t>(shape.numel() + 2 * guard), guard_value<U>());
    std::copy(values.begin(), values.end(), initial_.begin() + guard);
    const auto count = static_cast<std::int64_t>(initial_.size());
    whole_ = Tensor<U>(Shape{count}, std::span<const U>(initial_), device);
  }

  Tensor<U> view() const { return whole_.slice(guard, shape_.numel()).reshape(shape_); }

  bool is_result() const override { return is_result_; }
  std::string_view name() const override { return name_; }
  double epsilon() const override { return static_cast<double>(std::numeric_limits<U>::epsilon()); }
  double rounded(double value) const override { return static_cast<double>(static_cast<U>(value)); }
  Shape shape() const override { return shape_; }
  std::vector<double> values() const override {
    const std::vector<U> now = view().to_vector();
    return {now.begin(), now.end()};
  }
  bool guards_intact() const override {
    const std::vector<U> now = whole_.to_vector();
    const auto after = static_cast<std::size_t>(guard + shape_.numel());
    return same_bits(now, 0, guard) && same_bits(now, after, guard);
  }
  bool unchanged() const override { return same_bits(whole_.to_vector(), 0, initial_.size()); }

 private:
  bool same_bits(const std::vector<U>& now, std::size_t first, std::size_t count) const {
    return std::memcmp(now.data() + first, initial_.data() + first, count * sizeof(U)) == 0;
  }

  std::string name_;
  Shape shape_;
  bool is_result_;
  std::vector<U> initial_;
  Tensor<U> whole_;
};

/// Numbers that a float holds exactly, so that every scalar type starts from the same.
template <class U>
std::vector<U> uniform(const std::string& name, const Shape& shape, double low, double high) {
  std::vector<U> values;
  values.reserve(static_cast<std::size_t>(shape.numel()));
  for (const double u : hashed_uniform(concatenate(name, shape), shape.numel())) {
    values.push_back(static_cast<U>(static_cast<float>(low + (high - low) * u)));
  }
  return values;
}

/// The position of flat index `index` as "[n,c,i,j]".
std::string position(const Shape& shape, std::size_t index) {
  std::vector<std::int64_t> parts(shape.rank());
  auto rest = static_cast<std::int64_t>(index);
  for (std::size_t axis = shape.rank(); axis-- > 0;) {
    parts[axis] = rest % shape.begin()[axis];
    rest /= shape.begin()[axis];
  }
  std::string text;
  for (const std::int64_t part : parts) text += (text.empty() ? "" : ",") + std::to_string(part);
  return "[" + text + "]";
}

bool same_special(double came, double expected) {
  if (std::isnan(expected)) return std::isnan(came);
  return came == expected;
}

/// The worst disagreement of a result with the reference's, or nothing.
std::string disagreement(const Buffer& result, const Buffer& oracle, Tolerance tolerance) {
  if (!(result.shape() == oracle.shape())) return "shape differs";
  const std::vector<double> came = result.values();
  const std::vector<double> expected = oracle.values();
  double largest = 0.0;
  for (const double value : expected) {
    if (std::isfinite(result.rounded(value))) largest = std::max(largest, std::abs(value));
  }
  constexpr double smallest = std::numeric_limits<float>::min();
  double worst = 0.0;
  std::size_t at = 0;
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double wanted = result.rounded(expected[i]);
    double error = 0.0;  // in epsilons of the magnitude that counts
    if (!std::isfinite(wanted) || !std::isfinite(came[i])) {
      error = same_special(came[i], wanted) ? 0.0 : std::numeric_limits<double>::infinity();
    } else if (tolerance.epsilons == 0.0 || result.epsilon() == 0.0) {
      error = came[i] == wanted ? 0.0 : std::numeric_limits<double>::infinity();
    } else {
      const double magnitude = tolerance.per_element ? std::abs(expected[i]) : largest;
      const double gap = std::abs(came[i] - expected[i]);
      if (gap > 0.0) {
        error = gap / (result.epsilon() * std::max(magnitude, smallest));
      }
    }
    if (error > tolerance.epsilons) ++wrong;
    if (error > worst) {
      worst = error;
      at = i;
    }
  }
  if (wrong == 0) return {};
  std::ostringstream text;
  text.precision(result.epsilon() < 1e-10 ? 17 : 9);
  text << result.name() << position(result.shape(), at) << " is " << came[at] << ", expected "
       << expected[at] << " (" << worst << " epsilons off, " << tolerance.epsilons << " allowed; "
       << wrong << " of " << expected.size() << " elements are wrong)";
  return text.str();
}

}  // namespace

template <class T>
template <class U>
Tensor<U> Bench<T>::add(const std::string& name, const Shape& shape, const std::vector<U>& values,
                        bool is_result) {
  require<InputError>(static_cast<std::int64_t>(values.size()) == shape.numel(), "case array ",
                      name, ": ", values.size(), " values for shape ", shape);
  auto buffer = std::make_unique<GuardedBuffer<U>>(name, shape, values, is_result, device_);
  Tensor<U> view = buffer->view();
  buffers_.push_back(std::move(buffer));
  return view;
}

template <class T>
Tensor<T> Bench<T>::source(const std::string& name, const Shape& shape, double low, double high) {
  return add<T>(name, shape, uniform<T>(name, shape, low, high), false);
}

template <class T>
Tensor<T> Bench<T>::source(const std::string& name, const Shape& shape,
                           const std::vector<double>& values) {
  std::vector<T> narrowed;
  for (const double value : values) narrowed.push_back(static_cast<T>(static_cast<float>(value)));
  return add<T>(name, shape, narrowed, false);
}

template <class T>
Tensor<double> Bench<T>::scalar_source(const std::string& name, double value) {
  return add<double>(name, Shape{}, {value}, false);
}

template <class T>
Tensor<double> Bench<T>::double_source(const std::string& name, const Shape& shape,
                                       const std::vector<double>& values) {
  return add<double>(name, shape, values, false);
}

template <class T>
Tensor<std::int32_t> Bench<T>::index_source(const std::string& name, const Shape& shape,
                                            const std::vector<double>& values) {
  return add<std::int32_t>(name, shape, {values.begin(), values.end()}, false);
}

template <class T>
Tensor<std::uint8_t> Bench<T>::byte_source(const std::string& name, const Shape& shape) {
  return add<std::uint8_t>(name, shape, uniform<std::uint8_t>(name, shape, 0.0, 256.0), false);
}

template <class T>
Tensor<T> Bench<T>::result(const std::string& name, const Shape& shape, Write write) {
  if (write == Write::accumulate)
    return add<T>(name, shape, uniform<T>(name, shape, -1.0, 1.0), true);
  const std::vector<T> poison(static_cast<std::size_t>(shape.numel()), guard_value<T>());
  return add<T>(name, shape, poison, true);
}

template <class T>
Tensor<double> Bench<T>::scalar_result(const std::string& name, Write write) {
  const double start = write == Write::accumulate ? 0.625 : guard_value<double>();
  return add<double>(name, Shape{}, {start}, true);
}

template <class T>
Tensor<std::int32_t> Bench<T>::index_result(const std::string& name, const Shape& shape) {
  const std::vector<std::int32_t> poison(static_cast<std::size_t>(shape.numel()), -12345);
  return add<std::int32_t>(name, shape, poison, true);
}

template <class T>
Tensor<T> Bench<T>::in_place(const std::string& name, const Shape& shape, double low, double high) {
  return add<T>(name, shape, uniform<T>(name, shape, low, high), true);
}

template class Bench<float>;
template class Bench<double>;

const std::vector<Device>& devices_under_test() {
  static const std::vector<Device> devices = [] {
    std::vector<Device> found{Device::reference(), Device::cpu()};
    try {
      primitives_for<float>(Device::cuda());
      found.push_back(Device::cuda());
    } catch (const DeviceError&) {  // built without CUDA, or no GPU here
    }
    return found;
  }();
  return devices;
}

template <class T>
std::vector<std::string> complaints(const Bench<T>& bench, const Bench<double>& oracle,
                                    Tolerance tolerance) {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < bench.buffers().size(); ++i) {
    const Buffer& buffer = *bench.buffers()[i];
    if (!buffer.guards_intact()) {
      lines.push_back(concatenate("wrote outside of ", buffer.name()));
    } else if (buffer.is_result()) {
      const std::string line = disagreement(buffer, *oracle.buffers()[i], tolerance);
      if (!line.empty()) lines.push_back(line);
    } else if (!buffer.unchanged()) {
      lines.push_back(concatenate("changed its source ", buffer.name()));
    }
  }
  return lines;
}

template <class T>
std::vector<std::string> changes(const Bench<T>& bench) {
  std::vector<std::string> lines;
  for (const auto& buffer : bench.buffers()) {
    if (!buffer->unchanged()) lines.push_back(concatenate("threw, but changed ", buffer->name()));
  }
  return lines;
}

template std::vector<std::string> complaints(const Bench<float>&, const Bench<double>&, Tolerance);
template std::vector<std::string> complaints(const Bench<double>&, const Bench<double>&, Tolerance);
template std::vector<std::string> changes(const Bench<float>&);
template std::vector<std::string> changes(const Bench<double>&);

bool selected(const std::string& label) {
  const char* wanted = std::getenv("ATOMTRACK_CASE");
  return wanted == nullptr || label.find(wanted) != std::string::npos;
}

void report(const std::string& label, const std::string& complaint) {
  FAIL_CHECK(label, ": ", complaint, "\n  again: ATOMTRACK_CASE='", label,
             "' atomtrack_tests --test-suite=conformance");
}

void report_pass() {
  CHECK(true);
}

}  // namespace atomtrack::test
