// SPDX-License-Identifier: MIT
// Frozen networks: every backend's compiled form against the reference's step-by-step one.
#include "atomtrack/primitives/feature_program.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "support/conformance.hpp"
#include "support/precisions.hpp"

using namespace atomtrack;
using test::Bench;
using test::conform;
using test::rejects;

namespace {

/// Builds a program whose parameters are sources of a bench.
template <class T>
class Builder {
 public:
  using Step = typename FeatureProgram<T>::Step;

  Builder(Bench<T>& bench, const Shape& input) : bench_(bench) { program_.input = input; }

  /// Appends relu(conv2d(values[input]) + bias [+ values[residual]]); returns the value's number.
  std::size_t convolution(std::size_t input, const Shape& filter, Conv2dGeometry geometry,
                          bool relu, int residual = -1) {
    Step step;
    step.kind = Step::Kind::convolution;
    step.input = input;
    const std::string number = std::to_string(program_.steps.size());
    // Scaled as networks are, so that values neither grow nor fade from step to step.
    const double bound = std::sqrt(6.0 / static_cast<double>(filter.drop(0).numel()));
    step.filter = bench_.source("filter" + number, filter, -bound, bound);
    step.bias = bench_.source("bias" + number, Shape{filter[0]}, -0.1, 0.1);
    step.geometry = geometry;
    step.relu = relu;
    step.has_residual = residual >= 0;
    if (step.has_residual) step.residual = static_cast<std::size_t>(residual);
    program_.steps.push_back(step);
    return program_.steps.size();
  }

  std::size_t max_pool(std::size_t input, Pool2dGeometry geometry) {
    Step step;
    step.kind = Step::Kind::max_pool;
    step.input = input;
    step.pool = geometry;
    program_.steps.push_back(step);
    return program_.steps.size();
  }

  FeatureProgram<T>& outputs(std::vector<std::size_t> values) {
    program_.outputs = std::move(values);
    return program_;
  }

 private:
  Bench<T>& bench_;
  FeatureProgram<T> program_;
};

/// A named program; `build` is instantiated for each scalar type.
template <class F>
void conform_program(const std::string& name, const F& build) {
  for (const std::int64_t images : {1, 3}) {
    conform(concatenate("features ", name, " images=", images), {64}, [&](auto& bench) {
      using T = typename std::decay_t<decltype(bench)>::Scalar;
      const FeatureProgram<T> program = build(bench);
      const std::vector<Shape> shapes = program.value_shapes();
      const auto input = bench.source(
          "input", Shape{images, program.input[0], program.input[1], program.input[2]});
      std::vector<Tensor<T>> outputs;
      for (const std::size_t value : program.outputs) {
        const Shape& s = shapes[value];
        outputs.push_back(bench.result("output" + std::to_string(outputs.size()),
                                       Shape{images, s[0], s[1], s[2]}));
      }
      const auto compiled = bench.primitives().compile(program);
      // A backend may prepare more with every run: what counts is the third one's answer.
      Tensor<T> earlier(input.shape(), bench.device());
      for (const double value : {1.0, -2.0}) {
        bench.primitives().fill(static_cast<T>(value), earlier);
        compiled->run(earlier, outputs);
      }
      compiled->run(input, outputs);
    });
  }
}

/// What the body of a program is written in.
template <class B>
Builder<typename B::Scalar> on(B& bench, const Shape& input) {
  return Builder<typename B::Scalar>(bench, input);
}

}  // namespace

TEST_SUITE_BEGIN("conformance");

TEST_CASE("compiled features: single steps") {
  conform_program("nothing but the input", [](auto& bench) {
    return on(bench, Shape{3, 5, 7}).outputs({0});
  });
  conform_program("one convolution", [](auto& bench) {
    auto p = on(bench, Shape{3, 9, 8});
    return p.outputs({p.convolution(0, Shape{5, 3, 3, 3}, {1, 1}, false)});
  });
  conform_program("one convolution with a ReLU", [](auto& bench) {
    auto p = on(bench, Shape{3, 9, 8});
    return p.outputs({p.convolution(0, Shape{16, 3, 3, 3}, {2, 1}, true)});
  });
  conform_program("an even filter and one output channel", [](auto& bench) {
    auto p = on(bench, Shape{6, 9, 8});
    return p.outputs({p.convolution(0, Shape{1, 6, 4, 4}, {1, 2}, false)});
  });
  conform_program("one maximum", [](auto& bench) {
    auto p = on(bench, Shape{3, 9, 8});
    return p.outputs({p.max_pool(0, {3, 2, 1})});
  });
  conform_program("a maximum over negative values beside padding", [](auto& bench) {
    auto p = on(bench, Shape{3, 9, 8});
    auto& program = p.outputs({p.convolution(0, Shape{4, 3, 1, 1}, {1, 0}, false)});
    program.steps[0].bias = bench.source("bias", Shape{4}, -9.0, -8.0);
    return p.outputs({p.max_pool(1, {3, 2, 1})});
  });
}

TEST_CASE("compiled features: residual sums") {
  const Shape filter{16, 16, 3, 3};
  conform_program("a basic block", [&](auto& bench) {
    auto p = on(bench, Shape{16, 10, 9});
    const auto a = p.convolution(0, filter, {1, 1}, true);
    const auto b = p.convolution(a, filter, {1, 1}, true);
    return p.outputs({p.convolution(b, filter, {1, 1}, true, static_cast<int>(a))});
  });
  conform_program("the input as residual", [&](auto& bench) {
    auto p = on(bench, Shape{16, 10, 9});
    const auto a = p.convolution(0, filter, {1, 1}, true);
    return p.outputs({p.convolution(a, filter, {1, 1}, true, 0)});
  });
  conform_program("the input of few channels as residual", [](auto& bench) {
    auto p = on(bench, Shape{3, 10, 9});
    return p.outputs({p.convolution(p.convolution(0, Shape{3, 3, 3, 3}, {1, 1}, true),
                                    Shape{3, 3, 3, 3}, {1, 1}, true, 0)});
  });
  conform_program("the input as residual of a 1x1 convolution", [](auto& bench) {
    auto p = on(bench, Shape{2, 10, 9});
    return p.outputs({p.convolution(p.convolution(0, Shape{5, 2, 1, 1}, {1, 0}, true),
                                    Shape{2, 5, 1, 1}, {1, 0}, true, 0)});
  });
  conform_program("a residual that is also the step's input", [&](auto& bench) {
    auto p = on(bench, Shape{16, 10, 9});
    const auto a = p.convolution(0, filter, {1, 1}, true);
    return p.outputs({p.convolution(a, filter, {1, 1}, true, static_cast<int>(a))});
  });
  conform_program("a residual that is needed again", [&](auto& bench) {
    auto p = on(bench, Shape{16, 10, 9});
    const auto a = p.convolution(0, filter, {1, 1}, true);
    const auto b = p.convolution(a, filter, {1, 1}, false);
    const auto c = p.convolution(b, filter, {1, 1}, true, static_cast<int>(a));
    const auto d = p.convolution(c, filter, {1, 1}, true, static_cast<int>(a));
    return p.outputs({d, p.convolution(a, filter, {1, 1}, true)});
  });
  conform_program("a residual that is given out", [&](auto& bench) {
    auto p = on(bench, Shape{16, 10, 9});
    const auto a = p.convolution(0, filter, {1, 1}, true);
    const auto b = p.convolution(a, filter, {1, 1}, false);
    return p.outputs({a, p.convolution(b, filter, {1, 1}, true, static_cast<int>(a)), b});
  });
  conform_program("a residual without a ReLU, negative sums kept", [&](auto& bench) {
    auto p = on(bench, Shape{16, 10, 9});
    const auto a = p.convolution(0, filter, {1, 1}, false);
    const auto b = p.convolution(a, filter, {1, 1}, true);
    return p.outputs({p.convolution(b, filter, {1, 1}, false, static_cast<int>(a))});
  });
  conform_program("a projected residual, stride 2, odd sizes", [&](auto& bench) {
    auto p = on(bench, Shape{16, 11, 13});
    const auto a = p.convolution(0, Shape{32, 16, 3, 3}, {2, 1}, true);
    const auto short_cut = p.convolution(0, Shape{32, 16, 1, 1}, {2, 0}, false);
    return p.outputs(
        {p.convolution(a, Shape{32, 32, 3, 3}, {1, 1}, true, static_cast<int>(short_cut))});
  });
}

TEST_CASE("compiled features: several outputs, branches and unused values") {
  conform_program("outputs in another order, one of them twice, and the input", [](auto& bench) {
    auto p = on(bench, Shape{3, 12, 12});
    const auto a = p.convolution(0, Shape{8, 3, 3, 3}, {1, 1}, true);
    const auto b = p.convolution(a, Shape{16, 8, 3, 3}, {2, 1}, true);
    return p.outputs({b, 0, a, b});
  });
  conform_program("an output that later steps read", [](auto& bench) {
    auto p = on(bench, Shape{3, 12, 12});
    const auto a = p.convolution(0, Shape{8, 3, 3, 3}, {1, 1}, true);
    const auto b = p.max_pool(a, {2, 2, 0});
    const auto c = p.convolution(a, Shape{8, 8, 1, 1}, {2, 0}, false, static_cast<int>(b));
    return p.outputs({a, c});
  });
  conform_program("a value that nobody reads", [](auto& bench) {
    auto p = on(bench, Shape{3, 12, 12});
    const auto a = p.convolution(0, Shape{8, 3, 3, 3}, {1, 1}, true);
    p.convolution(0, Shape{4, 3, 3, 3}, {1, 1}, true);
    p.max_pool(a, {2, 2, 0});
    return p.outputs({p.convolution(a, Shape{8, 8, 3, 3}, {1, 1}, true)});
  });
  conform_program("a small ResNet with its two heads", [](auto& bench) {
    auto p = on(bench, Shape{3, 33, 35});
    const auto stem = p.max_pool(p.convolution(0, Shape{16, 3, 7, 7}, {2, 3}, true), {3, 2, 1});
    const auto a = p.convolution(stem, Shape{16, 16, 3, 3}, {1, 1}, true);
    const auto b = p.convolution(a, Shape{16, 16, 3, 3}, {1, 1}, true, static_cast<int>(stem));
    const auto c = p.convolution(b, Shape{32, 16, 3, 3}, {2, 1}, true);
    const auto d = p.convolution(b, Shape{32, 16, 1, 1}, {2, 0}, false);
    const auto e = p.convolution(c, Shape{32, 32, 3, 3}, {1, 1}, true, static_cast<int>(d));
    return p.outputs({e, p.convolution(b, Shape{24, 16, 3, 3}, {1, 1}, true),
                      p.convolution(e, Shape{24, 32, 3, 3}, {1, 1}, true), b});
  });
}

TEST_CASE("compiled features reject a program or arguments that do not fit, and write nothing") {
  const auto program_of = [](auto& bench) {
    auto p = on(bench, Shape{3, 8, 8});
    const auto a = p.convolution(0, Shape{4, 3, 3, 3}, {1, 1}, true);
    return p.outputs({a, p.max_pool(a, {2, 2, 0})});
  };
  const auto runs_with = [&](const Shape& input, const Shape& first, const Shape& second) {
    rejects<ShapeError>(concatenate("features of ", input, " into ", first, " and ", second),
                        [&](auto& bench) {
                          using T = typename std::decay_t<decltype(bench)>::Scalar;
                          const auto x = bench.source("x", input);
                          std::vector<Tensor<T>> outputs{bench.result("first", first),
                                                         bench.result("second", second)};
                          bench.primitives().compile(program_of(bench))->run(x, outputs);
                        });
  };
  const Shape input{2, 3, 8, 8}, first{2, 4, 8, 8}, second{2, 4, 4, 4};
  runs_with(Shape{2, 3, 8, 9}, first, second);
  runs_with(Shape{3, 8, 8}, first, second);
  runs_with(input, Shape{1, 4, 8, 8}, second);
  runs_with(input, first, Shape{2, 4, 4, 5});  // the second only: the first must stay unwritten
  rejects<ShapeError>("features with one output too few", [&](auto& bench) {
    using T = typename std::decay_t<decltype(bench)>::Scalar;
    const auto x = bench.source("x", input);
    std::vector<Tensor<T>> outputs{bench.result("first", first)};
    bench.primitives().compile(program_of(bench))->run(x, outputs);
  });

  const auto inconsistent = [&](const std::string& what, auto spoil) {
    rejects<ShapeError>("compile: " + what, [&](auto& bench) {
      auto program = program_of(bench);
      spoil(bench, program);
      bench.primitives().compile(program);
    });
  };
  inconsistent("a step reads a later value", [](auto&, auto& p) { p.steps[0].input = 2; });
  inconsistent("no such output", [](auto&, auto& p) { p.outputs = {3}; });
  inconsistent("filter of other channels", [](auto& bench, auto& p) {
    p.steps[0].filter = bench.source("wrong", Shape{4, 2, 3, 3});
  });
  inconsistent("bias of other channels",
               [](auto& bench, auto& p) { p.steps[0].bias = bench.source("wrong", Shape{5}); });
  inconsistent("residual of another shape", [](auto&, auto& p) {
    p.steps[0].has_residual = true;
    p.steps[0].residual = 0;
  });
  inconsistent("a window that does not fit", [](auto&, auto& p) { p.steps[1].pool.window = 9; });
  inconsistent("an input without channels", [](auto&, auto& p) { p.input = Shape{8, 8}; });
}

TEST_SUITE_END();

TEST_CASE_TEMPLATE("compiled features keep their own parameters and can run again and again", T,
                   float, double) {
  for (const Device device : test::devices_under_test()) {
    if (!device.is_host()) continue;  // the parameters are spoiled by host code
    CAPTURE(device);
    Bench<T> bench(device);
    auto builder = on(bench, Shape{3, 10, 9});
    const auto a = builder.convolution(0, Shape{16, 3, 3, 3}, {1, 1}, true);
    FeatureProgram<T> program = builder.outputs(
        {builder.convolution(a, Shape{16, 16, 3, 3}, {1, 1}, true, static_cast<int>(a))});
    const auto compiled = primitives_for<T>(device).compile(program);
    const Tensor<T> batch = bench.source("batch", Shape{4, 3, 10, 9});

    const auto run = [&](const Tensor<T>& input) {
      std::vector<Tensor<T>> output{Tensor<T>(Shape{input.extent(0), 16, 10, 9}, device)};
      compiled->run(input, output);
      return output[0].to_vector();
    };
    const std::vector<T> before = run(batch);
    for (auto& step : program.steps) {
      std::fill_n(step.filter.data(), step.filter.numel(), T(7));
      std::fill_n(step.bias.data(), step.bias.numel(), T(7));
    }
    CHECK(run(batch) == before);
    // Batches of other sizes in between leave nothing behind; an image alone is as in its batch.
    const std::vector<T> third = run(batch.slice(2, 1));
    CHECK(third == std::vector<T>(before.begin() + 2 * 1440, before.begin() + 3 * 1440));
    CHECK(run(batch) == before);
  }
}

TEST_CASE("the scratch memory of compiled features does not grow with large batches") {
  for (const Device device : test::devices_under_test()) {
    CAPTURE(device);
    const std::int64_t at_once = device.is_host() ? 1 : 32;  // images that go together
    Bench<float> bench(device);
    auto builder = on(bench, Shape{3, 32, 32});
    const auto a = builder.convolution(0, Shape{64, 3, 3, 3}, {1, 1}, true);
    const FeatureProgram<float> program =
        builder.outputs({builder.convolution(a, Shape{1, 64, 1, 1}, {1, 0}, false)});
    const auto compiled = primitives_for<float>(device).compile(program);
    const auto peak = [&](std::int64_t images) {
      const Tensor<float> input = bench.source("input", Shape{images, 3, 32, 32});
      std::vector<Tensor<float>> output{Tensor<float>(Shape{images, 1, 32, 32}, device)};
      compiled->run(input, output);  // warm
      reset_high_water(device);
      const std::size_t at_rest = pool_statistics(device).in_use;
      compiled->run(input, output);
      return pool_statistics(device).high_water - at_rest;
    };
    const std::size_t full = peak(at_once);
    CHECK(peak(3 * at_once) <= full);
  }
}

TEST_CASE_TEMPLATE("coarser factors where there are some, a clear refusal elsewhere", T, float,
                   double) {
  for (const Device device : test::devices_under_test()) {
    CAPTURE(device);
    Bench<T> bench(device);
    auto builder = on(bench, Shape{16, 9, 9});
    const auto a = builder.convolution(0, Shape{8, 16, 3, 3}, {1, 1}, true);
    FeatureProgram<T> program =
        builder.outputs({a, builder.convolution(a, Shape{4, 8, 1, 1}, {1, 0}, false)});
    const Tensor<T> input = bench.source("input", Shape{2, 16, 9, 9});
    const auto run = [&](Precision precision) {
      program.precision = precision;
      std::vector<Tensor<T>> outputs{Tensor<T>(Shape{2, 8, 9, 9}, device),
                                     Tensor<T>(Shape{2, 4, 9, 9}, device)};
      primitives_for<T>(device).compile(program)->run(input, outputs);
      std::vector<T> values = outputs[0].to_vector();
      for (const T value : outputs[1].to_vector()) values.push_back(value);
      return values;
    };
    const std::vector<T> full = run(Precision::full);
    for (const Precision precision : {Precision::tf32, Precision::half, Precision::bfloat16}) {
      if (std::is_same_v<T, double> || !test::offers(device, precision)) {
        CHECK_THROWS_AS(run(precision), InputError);
        continue;
      }
      const std::vector<T> coarse = run(precision);
      T furthest{0};
      for (std::size_t i = 0; i < full.size(); ++i)
        furthest = std::max(furthest, std::abs(coarse[i] - full[i]));
      // Factors of about 1 lose at most 2^-11 each, and errors of 144 terms do not add up;
      // bfloat16 loses 2^-9, of the results too.
      CHECK(furthest < (precision == Precision::bfloat16 ? T(3e-2) : T(4e-3)));
      CHECK(furthest > T(1e-5));  // but it was rounded
    }
  }
}
