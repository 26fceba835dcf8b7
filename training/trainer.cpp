// SPDX-License-Identifier: MIT
#include "atomtrack/training/trainer.hpp"

#include <algorithm>
#include <cmath>

#include "atomtrack/layers/feature_plan.hpp"
#include "atomtrack/tensor/random.hpp"
#include "atomtrack/training/ascent.hpp"
#include "training/initialization.hpp"

namespace atomtrack {
namespace {

using Network = TrainingNetwork<float>;
using NamedList = std::vector<std::pair<std::string, Tensor<float>>>;

constexpr double pairs_ahead = 2;  // groups that the loader prepares while one is trained on

/// All tensors of a network, sharing its memory.
class TensorCollector final : public ModuleVisitor<float> {
 public:
  void parameter(const std::string& name, Variable<float>& value) override {
    tensors.emplace_back(name, value.value());
  }
  void buffer(const std::string& name, Tensor<float>& value) override {
    tensors.emplace_back(name, value);
  }
  NamedList tensors;
};

class BufferCollector final : public ModuleVisitor<float> {
 public:
  void parameter(const std::string&, Variable<float>&) override {}
  void buffer(const std::string&, Tensor<float>& value) override { buffers.push_back(value); }
  std::vector<Tensor<float>> buffers;
};

using NamedParameters = std::vector<std::pair<std::string, Variable<float>*>>;

/// The backbone's parameters but for those of its frozen stages.
NamedParameters trained_parameters(ResNet18<float>& backbone, int frozen_stages) {
  NamedParameters parameters = named_parameters(backbone, "");
  std::erase_if(parameters, [&](const auto& entry) {
    const std::string& name = entry.first;
    if (name.starts_with("layer2.")) return frozen_stages >= 2;
    return !name.starts_with("layer3.") && frozen_stages >= 1;
  });
  return parameters;
}

template <class Module>
std::vector<Tensor<float>> buffers_of(Module& module) {
  BufferCollector collector;
  module.visit("", collector);
  return std::move(collector.buffers);
}

/// y = a y + b x on the host or a device.
void blend(double a, Tensor<float>& y, double b, const Tensor<float>& x) {
  Primitives<float>& primitives = primitives_for<float>(y.device());
  primitives.map({MapKind::scale, a}, y, y);
  primitives.axpy(b, Tensor<double>::scalar(1.0, y.device()), x, y);
}

void check(const TrainingOptions& options) {
  require<InputError>(
      options.group >= 1 && options.batch >= options.group && options.batch % options.group == 0,
      "training: a batch of ", options.batch, " pairs in groups of ", options.group,
      ", expected a multiple");
  require<InputError>(options.frozen_stages >= 0 && options.frozen_stages <= 2,
                      "training: frozen_stages ", options.frozen_stages, ", expected 0, 1 or 2");
  require<InputError>(options.average >= 0.0 && options.average < 1.0, "training: average ",
                      options.average, ", expected a number in [0, 1)");
  require<InputError>(!options.schedule.empty(), "training: the schedule has no stages");
  std::int64_t before = 0;
  for (const TrainingStage& stage : options.schedule) {
    require<InputError>(stage.until > before && stage.head_rate > 0.0 && stage.backbone_rate >= 0.0,
                        "training: a stage until pair ", stage.until, " after one until ", before,
                        ": expected rising numbers and a positive head_rate");
    before = stage.until;
  }
}

}  // namespace

Rates rates_at(const std::vector<TrainingStage>& schedule, std::int64_t pairs) {
  std::int64_t begin = 0;
  for (const TrainingStage& stage : schedule) {
    if (pairs < stage.until || &stage == &schedule.back()) {
      const double share = std::clamp(
          static_cast<double>(pairs - begin) / static_cast<double>(stage.until - begin), 0.0, 1.0);
      const auto between = [&](double from, double to) {
        return to > 0.0 && from > 0.0 ? from * std::pow(to / from, share) : from;
      };
      return {between(stage.head_rate, stage.head_rate_end),
              between(stage.backbone_rate, stage.backbone_rate_end)};
    }
    begin = stage.until;
  }
  return {};
}

/// What does not change of the backbone, compiled: all of it, or its first stages.
struct Trainer::FrozenBackbone {
  using Plan = FeaturePlan<float>;
  FrozenBackbone(const ResNet18<float>& backbone, unsigned which, std::int64_t side,
                 Precision precision)
      : outputs(which), plan(backbone, nullptr, which, side, side, precision) {}
  unsigned outputs;
  Plan plan;
  Plan::Maps maps;
};

/// What a step adds up over its groups, and over the processes.
struct Trainer::Sums {
  std::vector<Tensor<float>> gradients;   // of the head's parameters, then the backbone's
  std::vector<Tensor<float>> statistics;  // running statistics after each group
  double loss = 0.0, error = 0.0;
};

Trainer::Trainer(const TrainingOptions& options, const WeightsFile& start,
                 std::shared_ptr<const PairSource> pairs, GradientExchange& exchange, Device device)
    : options_(options),
      metadata_(start.metadata),
      pairs_(std::move(pairs)),
      exchange_(exchange),
      device_(device),
      network_(options.architecture) {
  check(options);
  require<InputError>(options.batch / options.group >= exchange.size(),
                      "training: ", options.batch / options.group, " groups per batch for ",
                      exchange.size(), " processes, expected at least one each");
  load_parameters(network_.backbone, Network::backbone_name, start.tensors, device);
  const std::string prefix = std::string(Network::predictor_name) + ".";
  const auto first = start.tensors.lower_bound(prefix);
  if (first != start.tensors.end() && first->first.starts_with(prefix)) {
    require<WeightsError>(start.metadata.architecture == name_of(options.architecture),
                          "the weights to start from are of architecture '",
                          start.metadata.architecture, "', the configuration asks for '",
                          name_of(options.architecture), "'");
    load_parameters(network_.predictor, Network::predictor_name, start.tensors, device);
  } else {
    load_parameters(network_.predictor, Network::predictor_name,
                    initial_weights(expected_tensors(network_.predictor, Network::predictor_name),
                                    options.seed),
                    device);
  }
  network_.predictor.set_training(true);
  set_precision(network_, options.precision);
  TensorCollector collector;
  network_.visit("", collector);
  tensors_ = std::move(collector.tensors);
  if (options.average > 0.0) {
    for (const auto& [name, tensor] : tensors_) average_.push_back(tensor.clone());
  }
  metadata_.architecture = name_of(options.architecture);
}

Trainer::~Trainer() = default;

std::int64_t Trainer::pairs_in_all() const {
  return options_.schedule.back().until;
}

std::int64_t Trainer::predictor_parameters() const {
  IouPredictor<float> predictor = network_.predictor;
  std::int64_t count = 0;
  for (const auto& [name, value] : named_parameters(predictor, "")) count += value->value().numel();
  return count;
}

void Trainer::start_loader() {
  const auto group = static_cast<std::uint64_t>(options_.group);
  const auto batch = static_cast<std::uint64_t>(options_.batch);
  const auto rank = static_cast<std::uint64_t>(exchange_.rank());
  const auto size = static_cast<std::uint64_t>(exchange_.size());
  const std::uint64_t groups = batch / group;
  const std::uint64_t own = (groups - rank + size - 1) / size * group;  // pairs per batch
  const auto start = static_cast<std::uint64_t>(pairs_done_);
  const auto index_of = [=](std::uint64_t n) {
    const std::uint64_t within = n % own;
    return start + n / own * batch + (rank + within / group * size) * group + within % group;
  };
  loader_ = std::make_unique<PairLoader>(*pairs_, index_of, options_.loader_threads,
                                         static_cast<int>(pairs_ahead * options_.group));
}

/// layer2 and layer3 of images [N,3,S,S]; what of the backbone is trained is on the graph.
std::pair<Variable<float>, Variable<float>> Trainer::maps_of(const Tensor<float>& images,
                                                             bool with_backbone) {
  using Plan = FeaturePlan<float>;
  Variable<float> x(images);
  if (!with_backbone || options_.frozen_stages > 0) {
    const unsigned outputs = !with_backbone                ? Plan::layer2 | Plan::layer3
                             : options_.frozen_stages == 1 ? Plan::layer1
                                                           : Plan::layer2;
    if (!frozen_ || frozen_->outputs != outputs)
      frozen_ = std::make_unique<FrozenBackbone>(network_.backbone, outputs, images.extent(2),
                                                 options_.precision);
    frozen_->plan.run(images, frozen_->maps);
    if (!with_backbone)
      return {Variable<float>(frozen_->maps.layer2), Variable<float>(frozen_->maps.layer3)};
    x = Variable<float>(options_.frozen_stages == 1 ? frozen_->maps.layer1 : frozen_->maps.layer2);
  }
  if (options_.frozen_stages >= 2)
    return {x, network_.backbone.forward(x, {"layer3"}, 2).at("layer3")};
  const auto maps = network_.backbone.forward(x, {"layer2", "layer3"},
                                              static_cast<std::size_t>(options_.frozen_stages));
  return {maps.at("layer2"), maps.at("layer3")};
}

void Trainer::train_on(std::span<const TrainingPair> group, bool with_backbone, Sums& sums) {
  PairBatch<float> batch = batch_of<float>(group, device_);
  std::vector<Tensor<float>> running = buffers_of(network_.predictor);
  std::vector<Tensor<float>> before;
  for (const Tensor<float>& statistic : running) before.push_back(statistic.clone());

  set_trainable(network_.predictor, true);
  set_trainable(network_.backbone, false);
  std::vector<Variable<float>*> backbone;
  if (with_backbone) {
    for (auto& [name, value] : trained_parameters(network_.backbone, options_.frozen_stages)) {
      *value = Variable<float>::leaf(value->value());
      backbone.push_back(value);
    }
  }
  const auto [layer2, layer3] = maps_of(batch.images, with_backbone);
  if (options_.climbing_candidates > 0) {
    // The tracker climbs what the predictor says in evaluation.
    network_.predictor.set_training(false);
    set_trainable(network_.predictor, false);
    AscentOptions ascent;
    ascent.count = options_.climbing_candidates;
    ascend_candidates(network_.predictor, layer2.value(), layer3.value(), group, ascent, batch);
    network_.predictor.set_training(true);
    set_trainable(network_.predictor, true);
  }
  const Variable<float> predicted = predict(network_.predictor, layer2, layer3, batch);
  const Variable<float> loss = training_loss(predicted, batch);
  std::vector<Variable<float>> parameters;
  for (auto& [name, value] : named_parameters(network_.predictor, "")) parameters.push_back(*value);
  for (const Variable<float>* value : backbone) parameters.push_back(*value);
  const auto gradients =
      backprop(loss, std::span<const Variable<float>>(parameters), Differentiable::no);

  const double share = static_cast<double>(options_.group) / options_.batch;
  if (sums.gradients.empty()) {
    for (const auto& gradient : gradients)
      sums.gradients.push_back(Tensor<float>::zeros(gradient.shape(), device_));
    for (const auto& statistic : running)
      sums.statistics.push_back(Tensor<float>::zeros(statistic.shape(), device_));
  }
  for (std::size_t i = 0; i < gradients.size(); ++i)
    blend(1.0, sums.gradients[i], share, gradients[i].value());
  for (std::size_t i = 0; i < running.size(); ++i) {
    blend(1.0, sums.statistics[i], share, running[i]);
    primitives_for<float>(device_).copy(before[i], running[i]);
  }
  sums.loss += share * static_cast<double>(loss.value().item());
  const std::vector<float> p = predicted.value().to_vector(), t = batch.targets.to_vector();
  double error = 0.0;
  for (std::size_t i = 0; i < p.size(); ++i)
    error += std::abs(static_cast<double>(p[i] - t[i])) / 2;
  sums.error += share * error / static_cast<double>(p.size());
}

Trainer::Step Trainer::step() {
  if (!loader_) start_loader();
  const Rates rates = rates_at(options_.schedule, pairs_done_);
  const bool with_backbone = rates.backbone > 0.0;
  Sums sums;
  std::vector<TrainingPair> group(static_cast<std::size_t>(options_.group));
  for (int g = exchange_.rank(); g < options_.batch / options_.group; g += exchange_.size()) {
    for (TrainingPair& pair : group) pair = loader_->next();
    train_on(group, with_backbone, sums);
  }
  exchange_.sum(std::span<Tensor<float>>(sums.gradients));
  exchange_.sum(std::span<Tensor<float>>(sums.statistics));
  std::array<double, 2> scalars{sums.loss, sums.error};
  exchange_.sum(std::span<double>(scalars));
  require<Error>(std::isfinite(scalars[0]), "training: the loss is ", scalars[0], " after ",
                 pairs_done_, " pairs; the rates may be too high");

  std::vector<Tensor<float>> running = buffers_of(network_.predictor);
  for (std::size_t i = 0; i < running.size(); ++i)
    primitives_for<float>(device_).copy(sums.statistics[i], running[i]);
  const auto update = [&](const auto& parameters, Adam<float>& adam, double rate,
                          std::size_t offset) {
    std::vector<Tensor<float>> values;
    for (const auto& [name, value] : parameters) values.push_back(value->value());
    adam.set_rate(rate);
    adam.step(values,
              std::span<const Tensor<float>>(sums.gradients).subspan(offset, values.size()));
    return offset + values.size();
  };
  const std::size_t offset =
      update(named_parameters(network_.predictor, ""), head_adam_, rates.head, 0);
  if (with_backbone) {
    update(trained_parameters(network_.backbone, options_.frozen_stages), backbone_adam_,
           rates.backbone, offset);
    if (options_.frozen_stages == 0) frozen_.reset();
  }
  ++steps_;
  pairs_done_ += options_.batch;
  update_average();
  return {pairs_done_, scalars[0], scalars[1], rates.head, rates.backbone};
}

void Trainer::update_average() {
  if (average_.empty()) return;
  // The first averages reach back over as few steps as there have been.
  const auto t = static_cast<double>(steps_);
  const double keep = std::min(options_.average, t / (t + 9.0));
  for (std::size_t i = 0; i < average_.size(); ++i)
    blend(keep, average_[i], 1.0 - keep, tensors_[i].second);
}

ValidationReport Trainer::validate(std::span<const TrainingPair> pairs) const {
  const WeightsFile file = weights();
  Network network(options_.architecture);
  load_parameters(network.backbone, Network::backbone_name, file.tensors, device_);
  load_parameters(network.predictor, Network::predictor_name, file.tensors, device_);
  return atomtrack::validate(network, pairs);
}

WeightsFile Trainer::weights() const {
  WeightsFile file;
  file.metadata = metadata_;
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    const Tensor<float>& tensor = average_.empty() ? tensors_[i].second : average_[i];
    file.tensors.emplace(tensors_[i].first, tensor.to(Device::cpu()));
  }
  return file;
}

namespace {

/// What a checkpoint calls itself, so that no tracker takes it for weights.
std::string checkpoint_of(const std::string& architecture) {
  return "checkpoint of " + architecture;
}

/// The counters of a checkpoint; doubles hold them exactly.
std::string counters(const std::string& fingerprint, std::int64_t pairs, std::int64_t steps,
                     std::int64_t head_steps, std::int64_t backbone_steps) {
  return concatenate(pairs, " ", steps, " ", head_steps, " ", backbone_steps, "\n", fingerprint);
}

void store(NamedTensors& to, const std::string& prefix, const NamedList& names,
           const std::vector<Tensor<float>>& values) {
  for (std::size_t i = 0; i < values.size(); ++i)
    to.emplace(prefix + names[i].first, values[i].to(Device::cpu()));
}

NamedList tensors_of(const NamedParameters& parameters) {
  NamedList list;
  for (const auto& [name, value] : parameters) list.emplace_back(name, value->value());
  return list;
}

}  // namespace

WeightsFile Trainer::checkpoint(const std::string& fingerprint) const {
  WeightsFile file;
  file.metadata = metadata_;
  file.metadata.architecture = checkpoint_of(metadata_.architecture);
  file.metadata.provenance = counters(fingerprint, pairs_done_, steps_, head_adam_.state().steps,
                                      backbone_adam_.state().steps);
  Network network = network_;
  const NamedList head = tensors_of(named_parameters(network.predictor, ""));
  const NamedList back = tensors_of(trained_parameters(network.backbone, options_.frozen_stages));
  for (const auto& [name, tensor] : tensors_)
    file.tensors.emplace("weights." + name, tensor.to(Device::cpu()));
  store(file.tensors, "average.", tensors_, average_);
  store(file.tensors, "head.first.", head, head_adam_.state().first);
  store(file.tensors, "head.second.", head, head_adam_.state().second);
  store(file.tensors, "backbone.first.", back, backbone_adam_.state().first);
  store(file.tensors, "backbone.second.", back, backbone_adam_.state().second);
  return file;
}

void Trainer::restore(const WeightsFile& checkpoint, const std::string& fingerprint) {
  require<WeightsError>(checkpoint.metadata.architecture == checkpoint_of(metadata_.architecture),
                        "is a '", checkpoint.metadata.architecture, "', expected a '",
                        checkpoint_of(metadata_.architecture), "'");
  std::istringstream text(checkpoint.metadata.provenance);
  std::int64_t pairs = 0, steps = 0, head_steps = 0, backbone_steps = 0;
  text >> pairs >> steps >> head_steps >> backbone_steps;
  require<WeightsError>(!text.fail(), "does not say how far the training was");
  text.get();
  std::string stored;
  std::getline(text, stored);
  require<WeightsError>(stored == fingerprint,
                        "was made with another configuration: go on with the one that it was "
                        "started with, or start anew without --resume");
  NamedShapes expected;
  const auto expect = [&](const std::string& prefix, const NamedList& list) {
    for (const auto& [name, tensor] : list) expected.emplace(prefix + name, tensor.shape());
  };
  const NamedList head = tensors_of(named_parameters(network_.predictor, ""));
  const NamedList back = tensors_of(trained_parameters(network_.backbone, options_.frozen_stages));
  expect("weights.", tensors_);
  if (!average_.empty()) expect("average.", tensors_);
  if (head_steps > 0) {
    expect("head.first.", head);
    expect("head.second.", head);
  }
  if (backbone_steps > 0) {
    expect("backbone.first.", back);
    expect("backbone.second.", back);
  }
  require_fit(expected, checkpoint.tensors);
  const auto load = [&](const std::string& prefix, const NamedList& list) {
    std::vector<Tensor<float>> values;
    for (const auto& [name, tensor] : list)
      values.push_back(checkpoint.tensors.at(prefix + name).to(device_));
    return values;
  };
  const auto restore_adam = [&](Adam<float>& adam, std::int64_t adam_steps,
                                const std::string& prefix, const NamedList& list) {
    Adam<float>::State state;
    state.steps = adam_steps;
    if (adam_steps > 0) {
      state.first = load(prefix + "first.", list);
      state.second = load(prefix + "second.", list);
    }
    adam.restore(std::move(state));
  };
  const std::vector<Tensor<float>> weights = load("weights.", tensors_);
  for (std::size_t i = 0; i < weights.size(); ++i)
    primitives_for<float>(device_).copy(weights[i], tensors_[i].second);
  if (!average_.empty()) average_ = load("average.", tensors_);
  restore_adam(head_adam_, head_steps, "head.", head);
  restore_adam(backbone_adam_, backbone_steps, "backbone.", back);
  pairs_done_ = pairs;
  steps_ = steps;
  frozen_.reset();
  loader_.reset();
}

}  // namespace atomtrack
