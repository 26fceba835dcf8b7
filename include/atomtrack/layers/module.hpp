// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <string>
#include <vector>

#include "atomtrack/autodiff/variable.hpp"
#include "atomtrack/tensor/named_tensors.hpp"

namespace atomtrack {

// A module is a value type with parameters (learned; Variables) and buffers (batch norm's running
// statistics; Tensors), and a member
//
//     void visit(const std::string& prefix, ModuleVisitor<T>& visitor);
//
// that shows each with its name. Names equal the paths in a weights file; for ResNet-18 and the IoU
// predictor they are those that the usual frameworks give. Copying a module shares its tensors.

template <class T>
class ModuleVisitor {
 public:
  virtual ~ModuleVisitor() = default;
  virtual void parameter(const std::string& name, Variable<T>& value) = 0;
  virtual void buffer(const std::string& name, Tensor<T>& value) = 0;
  /// How a convolution is done; of no interest to most.
  virtual void geometry(Conv2dGeometry&) {}
};

/// "prefix.name", or "name" when the prefix is empty.
inline std::string join_name(const std::string& prefix, const std::string& name) {
  return prefix.empty() ? name : prefix + "." + name;
}

using NamedShapes = std::map<std::string, Shape>;

/// What is wrong with `given` as the tensors of a network that expects `expected`: a line for each
/// that is missing or has another shape. Names in `given` that nothing expects are not a problem.
std::vector<std::string> mismatches(const NamedShapes& expected, const NamedTensors& given);

/// Throws WeightsError with all mismatches, in one line, if there are any.
void require_fit(const NamedShapes& expected, const NamedTensors& given);

namespace detail {

template <class T>
class ShapeCollector final : public ModuleVisitor<T> {
 public:
  void parameter(const std::string& name, Variable<T>& value) override {
    shapes.emplace(name, value.shape());
  }
  void buffer(const std::string& name, Tensor<T>& value) override {
    shapes.emplace(name, value.shape());
  }
  NamedShapes shapes;
};

template <class T>
class ParameterCollector final : public ModuleVisitor<T> {
 public:
  void parameter(const std::string& name, Variable<T>& value) override {
    parameters.emplace_back(name, &value);
  }
  void buffer(const std::string&, Tensor<T>&) override {}
  std::vector<std::pair<std::string, Variable<T>*>> parameters;
};

template <class T>
class Loader final : public ModuleVisitor<T> {
 public:
  Loader(const NamedTensors& source, Device device) : source_(source), device_(device) {}
  void parameter(const std::string& name, Variable<T>& value) override {
    value = Variable<T>(loaded(name));
  }
  void buffer(const std::string& name, Tensor<T>& value) override { value = loaded(name); }

 private:
  Tensor<T> loaded(const std::string& name) const {
    return convert<T>(source_.at(name)).to(device_);
  }

  const NamedTensors& source_;
  Device device_;
};

template <class T>
class Saver final : public ModuleVisitor<T> {
 public:
  void parameter(const std::string& name, Variable<T>& value) override {
    buffer(name, const_cast<Tensor<T>&>(value.value()));
  }  // NOLINT
  void buffer(const std::string& name, Tensor<T>& value) override {
    tensors.emplace(name, convert<float>(value.to(Device::cpu())));
  }
  NamedTensors tensors;
};

template <class T>
class PrecisionSetter final : public ModuleVisitor<T> {
 public:
  explicit PrecisionSetter(Precision precision) : precision_(precision) {}
  void parameter(const std::string&, Variable<T>&) override {}
  void buffer(const std::string&, Tensor<T>&) override {}
  void geometry(Conv2dGeometry& geometry) override { geometry.precision = precision_; }

 private:
  Precision precision_;
};

}  // namespace detail

/// The shape of every parameter and buffer by name.
template <class T, template <class> class Module>
NamedShapes expected_tensors(const Module<T>& module, const std::string& prefix) {
  detail::ShapeCollector<T> collector;
  Module<T>(module).visit(prefix, collector);
  return collector.shapes;
}

/// The parameters (not the buffers) by name, in the order of the module's members. The pointers
/// live as long as the module stays where it is.
template <class T, template <class> class Module>
std::vector<std::pair<std::string, Variable<T>*>> named_parameters(Module<T>& module,
                                                                   const std::string& prefix) {
  detail::ParameterCollector<T> collector;
  module.visit(prefix, collector);
  return std::move(collector.parameters);
}

/// Replaces every parameter (by a constant) and buffer by the tensor of that name, on `device`.
/// Throws WeightsError listing all that is missing or misshapen; the module is then unchanged.
template <class T, template <class> class Module>
void load_parameters(Module<T>& module, const std::string& prefix, const NamedTensors& source,
                     Device device = Device::cpu()) {
  require_fit(expected_tensors(module, prefix), source);
  detail::Loader<T> loader(source, device);
  module.visit(prefix, loader);
}

/// Copies of all parameters and buffers by name, in float on the host.
template <class T, template <class> class Module>
NamedTensors named_tensors(const Module<T>& module, const std::string& prefix) {
  detail::Saver<T> saver;
  Module<T>(module).visit(prefix, saver);
  return std::move(saver.tensors);
}

/// How exactly all convolutions multiply from now on, in every direction.
template <class T, template <class> class Module>
void set_precision(Module<T>& module, Precision precision) {
  detail::PrecisionSetter<T> setter(precision);
  module.visit("", setter);
}

/// Makes every parameter a leaf that gradients can be asked for, or a constant.
template <class T, template <class> class Module>
void set_trainable(Module<T>& module, bool trainable) {
  for (auto& [name, value] : named_parameters(module, "")) {
    *value = trainable ? Variable<T>::leaf(value->value()) : value->detach();
  }
}

}  // namespace atomtrack
