// SPDX-License-Identifier: MIT
#include "atomtrack/training/trainer.hpp"

#include <doctest/doctest.h>

#include <barrier>
#include <cmath>
#include <thread>

#include "atomtrack/autodiff/operations.hpp"
#include "atomtrack/tensor/random.hpp"
#include "support/compare.hpp"
#include "support/precisions.hpp"
#include "training/initialization.hpp"
#include "training/synthetic_data.hpp"

using namespace atomtrack;
using test::absolute_difference;

namespace {

TrainingOptions options() {
  TrainingOptions o;
  o.seed = 8;
  o.batch = 4;
  o.group = 2;
  o.average = 0.9;
  o.schedule = {{8, 1e-3, 0.0, 0.0, 0.0}, {16, 1e-3, 1e-4, 1e-5, 0.0}};
  return o;
}

bool same(const NamedTensors& a, const NamedTensors& b) {
  if (a.size() != b.size()) return false;
  for (const auto& [name, tensor] : a) {
    if (b.count(name) == 0 || tensor.to_vector() != b.at(name).to_vector()) return false;
  }
  return true;
}

std::vector<TrainingPair> some_pairs(const PairSource& from, std::uint64_t count) {
  std::vector<TrainingPair> pairs;
  for (std::uint64_t i = 0; i < count; ++i) pairs.push_back(from.make(100 + i));
  return pairs;
}

template <class T>
TrainingNetwork<T> network() {
  TrainingNetwork<T> result;
  NamedTensors weights = test::synthetic_backbone().tensors;
  weights.merge(initial_weights(expected_tensors(result.predictor, "bb_regressor"), 5));
  load_parameters(result, "", weights);
  result.predictor.set_training(true);
  set_trainable(result, true);
  return result;
}

template <class T>
Variable<T> loss_of(const TrainingNetwork<T>& net, const std::vector<TrainingPair>& pairs) {
  const PairBatch<T> batch = batch_of<T>(pairs);
  const auto maps = net.backbone.forward(Variable<T>(batch.images), {"layer2", "layer3"});
  return training_loss(predict(net.predictor, maps.at("layer2"), maps.at("layer3"), batch), batch);
}

template <class T>
std::vector<Variable<T>> gradients_of(TrainingNetwork<T>& net,
                                      const std::vector<TrainingPair>& pairs) {
  std::vector<Variable<T>> parameters;
  for (auto& [name, value] : named_parameters(net, "")) parameters.push_back(*value);
  return backprop(loss_of(net, pairs), std::span<const Variable<T>>(parameters),
                  Differentiable::no);
}

/// Two threads as two processes of a data-parallel training.
class PairedExchange final : public GradientExchange {
 public:
  struct Shared {
    std::barrier<> meeting{2};
    std::array<std::vector<double>, 2> values;
  };
  PairedExchange(Shared& shared, int rank) : shared_(shared), rank_(rank) {}
  int rank() const override { return rank_; }
  int size() const override { return 2; }
  void sum(std::span<Tensor<float>> tensors) override {
    std::vector<double> all;
    for (const auto& tensor : tensors) {
      for (const float value : tensor.span()) all.push_back(static_cast<double>(value));
    }
    const std::vector<double> total = exchanged(all);
    std::size_t at = 0;
    for (auto& tensor : tensors) {
      for (float& value : tensor.span()) value = static_cast<float>(total[at++]);
    }
  }
  void sum(std::span<double> values) override {
    const std::vector<double> total = exchanged({values.begin(), values.end()});
    std::copy(total.begin(), total.end(), values.begin());
  }

 private:
  std::vector<double> exchanged(std::vector<double> own) {
    shared_.values[static_cast<std::size_t>(rank_)] = std::move(own);
    shared_.meeting.arrive_and_wait();
    std::vector<double> total = shared_.values[0];
    for (std::size_t i = 0; i < total.size(); ++i) total[i] += shared_.values[1][i];
    shared_.meeting.arrive_and_wait();
    return total;
  }
  Shared& shared_;
  int rank_;
};

}  // namespace

TEST_CASE("the gradients of one training step equal a double-precision reference") {
  const auto pairs = some_pairs(*test::synthetic_pairs(2), 16);
  auto single = network<float>();
  auto twice = network<double>();
  const auto a = gradients_of(single, pairs);
  const auto b = gradients_of(twice, pairs);
  const auto names = named_parameters(twice, "");
  double largest = 0.0;
  for (const auto& gradient : b) {
    largest = std::max(
        largest, absolute_difference(gradient.value(), Tensor<double>::zeros(gradient.shape())));
  }
  REQUIRE(a.size() == names.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    CAPTURE(names[i].first);
    CHECK(absolute_difference(a[i].value(), b[i].value()) < 1e-5 * largest);
  }
}

TEST_CASE("the gradient of the whole loss is its numerical derivative") {
  const auto pairs = some_pairs(*test::synthetic_pairs(2), 6);
  auto net = network<double>();
  const auto gradients = gradients_of(net, pairs);
  const auto parameters = named_parameters(net, "");
  RandomSource random(6);
  for (std::size_t i = 0; i < parameters.size(); i += 7) {
    // A direction in one parameter tensor at a time.
    const Tensor<double> at = parameters[i].second->value().clone();
    std::vector<double> direction(static_cast<std::size_t>(at.numel()));
    double expected = 0.0;
    const auto gradient = gradients[i].value().to_vector();
    for (std::size_t k = 0; k < direction.size(); ++k) {
      direction[k] = random.normal();
      expected += direction[k] * gradient[k];
    }
    const auto loss_at = [&](double step) {
      Tensor<double> moved = at.clone();
      for (std::size_t k = 0; k < direction.size(); ++k) moved.data()[k] += step * direction[k];
      *parameters[i].second = Variable<double>::leaf(moved);
      return loss_of(net, pairs).value().item();
    };
    constexpr double step = 1e-8;
    const double numerical = (loss_at(step) - loss_at(-step)) / (2 * step);
    *parameters[i].second = Variable<double>::leaf(at);
    CAPTURE(parameters[i].first);
    CHECK(numerical == doctest::Approx(expected).epsilon(2e-3).scale(1e-4));
  }
}

TEST_CASE("training goes on from a checkpoint bit for bit") {
  GradientExchange alone;
  Trainer whole(options(), test::synthetic_backbone(), test::synthetic_pairs(), alone);
  std::vector<double> losses;
  while (!whole.finished()) losses.push_back(whole.step().loss);
  CHECK(losses.size() == 4);

  Trainer first(options(), test::synthetic_backbone(), test::synthetic_pairs(), alone);
  for (int i = 0; i < 3; ++i) CHECK(first.step().loss == losses[static_cast<std::size_t>(i)]);
  const WeightsFile checkpoint = first.checkpoint("a configuration");
  Trainer second(options(), test::synthetic_backbone(), test::synthetic_pairs(), alone);
  second.restore(checkpoint, "a configuration");
  CHECK(second.pairs_done() == 12);
  CHECK(second.step().loss == losses[3]);
  CHECK(same(second.weights().tensors, whole.weights().tensors));
  CHECK(same(second.checkpoint("x").tensors, whole.checkpoint("x").tensors));

  CHECK_THROWS_AS(second.restore(checkpoint, "another configuration"), WeightsError);
  CHECK_THROWS_AS(second.restore(test::synthetic_backbone(), "a configuration"), WeightsError);
  TrainingOptions siamese = options();
  siamese.architecture = IouArchitecture::siamese;
  Trainer other(siamese, test::synthetic_backbone(), test::synthetic_pairs(), alone);
  CHECK_THROWS_AS(other.restore(checkpoint, "a configuration"), WeightsError);
}

TEST_CASE("two processes train as one does") {
  GradientExchange alone;
  Trainer one(options(), test::synthetic_backbone(), test::synthetic_pairs(), alone);
  std::vector<double> losses;
  while (!one.finished()) losses.push_back(one.step().loss);

  PairedExchange::Shared shared;
  std::array<std::vector<double>, 2> paired;
  std::array<NamedTensors, 2> weights;
  std::vector<std::thread> threads;
  for (int rank = 0; rank < 2; ++rank) {
    threads.emplace_back([&, rank] {
      PairedExchange exchange(shared, rank);
      Trainer trainer(options(), test::synthetic_backbone(), test::synthetic_pairs(), exchange);
      const auto at = static_cast<std::size_t>(rank);
      while (!trainer.finished()) paired[at].push_back(trainer.step().loss);
      weights[at] = trainer.weights().tensors;
    });
  }
  for (std::thread& thread : threads) thread.join();
  REQUIRE(paired[0].size() == losses.size());
  for (std::size_t i = 0; i < losses.size(); ++i) {
    CHECK(paired[0][i] == doctest::Approx(losses[i]).epsilon(1e-5));
    CHECK(paired[0][i] == paired[1][i]);
  }
  CHECK(same(weights[0], weights[1]));
}

TEST_CASE("a frozen backbone stays as it is, and a trained one keeps its statistics") {
  GradientExchange alone;
  Trainer trainer(options(), test::synthetic_backbone(), test::synthetic_pairs(), alone);
  const NamedTensors before = test::synthetic_backbone().tensors;
  const auto changed = [&] {
    int count = 0;
    const NamedTensors now = trainer.checkpoint("").tensors;
    for (const auto& [name, tensor] : before) {
      const bool equal = now.at("weights." + name).to_vector() == tensor.to_vector();
      const bool statistic = name.find("running") != std::string::npos;
      if (statistic) CHECK(equal);
      count += equal ? 0 : 1;
    }
    return count;
  };
  trainer.step();
  trainer.step();
  CHECK(changed() == 0);
  trainer.step();
  CHECK(changed() > 30);
  const NamedTensors head = trainer.checkpoint("").tensors;
  CHECK(absolute_difference(head.at("weights.bb_regressor.fc3_rt.bn.running_mean"),
                            Tensor<float>::zeros(Shape{256})) > 1e-4);
}

TEST_CASE("frozen stages stay as they are while the later ones are trained") {
  GradientExchange alone;
  TrainingOptions o = options();
  o.schedule = {{16, 1e-3, 1e-4, 1e-5, 0.0}};
  Trainer whole(o, test::synthetic_backbone(), test::synthetic_pairs(), alone);
  const double loss = whole.step().loss;
  const NamedTensors before = test::synthetic_backbone().tensors;
  for (const int frozen : {1, 2}) {
    CAPTURE(frozen);
    o.frozen_stages = frozen;
    Trainer trainer(o, test::synthetic_backbone(), test::synthetic_pairs(), alone);
    CHECK(trainer.step().loss == doctest::Approx(loss).epsilon(1e-4));
    trainer.step();
    const WeightsFile checkpoint = trainer.checkpoint("");
    for (const auto& [name, tensor] : before) {
      CAPTURE(name);
      if (name.find("weight") == std::string::npos) continue;
      const bool trained = name.find(".layer3.") != std::string::npos ||
                           (frozen == 1 && name.find(".layer2.") != std::string::npos);
      const bool equal = checkpoint.tensors.at("weights." + name).to_vector() == tensor.to_vector();
      CHECK(equal == !trained);
    }
    Trainer again(o, test::synthetic_backbone(), test::synthetic_pairs(), alone);
    again.restore(checkpoint, "");
    CHECK(again.step().loss == trainer.step().loss);
    CHECK(same(again.checkpoint("").tensors, trainer.checkpoint("").tensors));
  }
}

TEST_CASE("the weights handed out are the average of the last steps") {
  GradientExchange alone;
  TrainingOptions fast = options();
  fast.average = 0.5;
  Trainer trainer(fast, test::synthetic_backbone(), test::synthetic_pairs(), alone);
  const std::string name = "bb_regressor.iou_predictor.weight";
  const auto initial = trainer.weights().tensors.at(name).to_vector();
  std::vector<double> average(initial.begin(), initial.end());
  for (int step = 1; step <= 3; ++step) {
    trainer.step();
    const auto now = trainer.checkpoint("").tensors.at("weights." + name).to_vector();
    const double keep = std::min(0.5, step / (step + 9.0));
    for (std::size_t i = 0; i < average.size(); ++i)
      average[i] = keep * average[i] + (1 - keep) * static_cast<double>(now[i]);
    const auto handed = trainer.weights().tensors.at(name).to_vector();
    for (std::size_t i = 0; i < average.size(); ++i)
      CHECK(static_cast<double>(handed[i]) == doctest::Approx(average[i]).epsilon(1e-4));
  }
}

TEST_CASE("training lowers the loss, in every precision that the CPU has") {
  double first_in_full = 0.0;
  for (const Precision precision : {Precision::full, Precision::bfloat16}) {
    GradientExchange alone;
    TrainingOptions longer = options();
    longer.batch = 8;
    longer.group = 8;
    longer.schedule = {{400, 2e-3, 5e-4, 0.0, 0.0}};
    longer.precision = precision;
    Trainer trainer(longer, test::synthetic_backbone(), test::synthetic_pairs(), alone);
    if (!test::offers(Device::cpu(), precision)) {
      CHECK_THROWS_AS(trainer.step(), InputError);
      continue;
    }
    double first = 0.0, last = 0.0;
    for (int i = 0; i < 50; ++i) {
      const double loss = trainer.step().loss;
      if (i < 5) first += loss;
      if (i >= 45) last += loss;
    }
    CHECK(last < 0.5 * first);
    CHECK(first != first_in_full);
    first_in_full = first;
    const ValidationReport report = trainer.validate(some_pairs(*test::synthetic_pairs(2), 6));
    CHECK(report.first.candidates > 0);
    CHECK(report.first.candidates + report.further.candidates == 6 * 2 * 4);
    CHECK(report.first.mean_error < 0.5);
  }
}

TEST_CASE("every architecture trains, and equal seeds give equal results") {
  for (const char* name : {"modulation", "baseline", "concatenation", "siamese",
                           "modulation-block3", "modulation-block4"}) {
    CAPTURE(name);
    GradientExchange alone;
    TrainingOptions o = options();
    o.architecture = parse_iou_architecture(name);
    Trainer a(o, test::synthetic_backbone(), test::synthetic_pairs(2), alone),
        b(o, test::synthetic_backbone(), test::synthetic_pairs(2), alone);
    CHECK(a.step().loss == b.step().loss);
    CHECK(std::isfinite(a.step().loss));
    CHECK(a.weights().metadata.architecture == name);
  }
}

TEST_CASE("rates follow the schedule") {
  const std::vector<TrainingStage> schedule{{100, 1e-3, 1e-5, 0.0, 0.0},
                                            {200, 1e-4, 0.0, 1e-5, 0.0}};
  CHECK(rates_at(schedule, 0).head == doctest::Approx(1e-3));
  CHECK(rates_at(schedule, 50).head == doctest::Approx(1e-4));
  CHECK(rates_at(schedule, 50).backbone == 0.0);
  CHECK(rates_at(schedule, 100).head == doctest::Approx(1e-4));
  CHECK(rates_at(schedule, 150).backbone == doctest::Approx(1e-5));
  CHECK(rates_at(schedule, 999).head == doctest::Approx(1e-4));
}

TEST_CASE("options that cannot train are refused") {
  GradientExchange alone;
  const auto refused = [&](auto change) {
    TrainingOptions o = options();
    change(o);
    CHECK_THROWS_AS(Trainer(o, test::synthetic_backbone(), test::synthetic_pairs(), alone),
                    InputError);
  };
  refused([](TrainingOptions& o) { o.group = 3; });
  refused([](TrainingOptions& o) { o.average = 1.0; });
  refused([](TrainingOptions& o) { o.frozen_stages = 3; });
  refused([](TrainingOptions& o) { o.schedule.clear(); });
  refused([](TrainingOptions& o) { o.schedule[1].until = 8; });
  refused([](TrainingOptions& o) { o.schedule[0].head_rate = 0.0; });
  WeightsFile empty;
  CHECK_THROWS_AS(Trainer(options(), empty, test::synthetic_pairs(), alone), WeightsError);
}

TEST_CASE("rank correlation is Spearman's") {
  const auto of = [](std::vector<double> a, std::vector<double> b) {
    return rank_correlation(a, b);
  };
  CHECK(of({1, 2, 3, 4}, {10, 20, 25, 90}) == doctest::Approx(1.0));
  CHECK(of({1, 2, 3, 4}, {4, 3, 2, 1}) == doctest::Approx(-1.0));
  CHECK(of({1, 2, 3, 4, 5}, {2, 1, 4, 3, 5}) == doctest::Approx(0.8));
  CHECK(of({1, 2, 2, 3}, {1, 2, 3, 4}) == doctest::Approx(0.9486832981));
  CHECK(of({1, 1, 1}, {1, 2, 3}) == 0.0);
  CHECK_THROWS_AS(of({1}, {1, 2}), InputError);
}
