// SPDX-License-Identifier: MIT
#include "tools/gradient_cases.hpp"

#include <cmath>

#include "atomtrack/layers/iou_predictor.hpp"
#include "atomtrack/tracker/classifier_problem.hpp"

namespace atomtrack::tools {
namespace {

using In = std::span<const Variable<double>>;
using Inputs = std::vector<Tensor<double>>;
using Draw = std::function<Inputs(RandomSource&)>;

/// Normal numbers.
Tensor<double> normal(const Shape& shape, RandomSource& random, double mean = 0.0,
                      double deviation = 1.0) {
  Tensor<double> result(shape);
  for (double& value : result.span()) value = random.normal(mean, deviation);
  return result;
}

/// Numbers in [0.5, 2]: for logarithms, roots and divisors.
Tensor<double> positive(const Shape& shape, RandomSource& random) {
  Tensor<double> result(shape);
  for (double& value : result.span()) value = random.uniform(0.5, 2.0);
  return result;
}

/// Numbers of either sign, at least 0.1 away from zero: for functions with a kink there.
Tensor<double> off_zero(const Shape& shape, RandomSource& random) {
  Tensor<double> result(shape);
  for (double& value : result.span())
    value = (random.uniform() < 0.5 ? -1.0 : 1.0) * random.uniform(0.1, 2.0);
  return result;
}

/// A shuffled arithmetic progression: any two differ by at least 0.1, so that no maximum changes
/// hands.
Tensor<double> distinct(const Shape& shape, RandomSource& random) {
  Tensor<double> result(shape);
  const auto values = result.span();
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = 0.1 * static_cast<double>(i);
  for (std::size_t i = values.size(); i > 1; --i)
    std::swap(values[i - 1],
              values[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(i)))]);
  return result;
}

/// Boxes (x, y, width, height) [N,K,4] in a map of `extent` cells at scale 1/4, none of whose bin
/// edges comes near a whole cell.
Tensor<double> boxes_off_cells(std::int64_t images, std::int64_t count, std::int64_t extent,
                               const std::vector<int>& bins, RandomSource& random) {
  constexpr double cell = 4.0;     // pixels
  constexpr double margin = 0.03;  // cells; steps move an edge by 0.02 / 4 cells
  Tensor<double> result(Shape{images, count, 4});
  const auto clear = [&](double start, double size) {
    for (const int n : bins) {
      for (int p = 0; p <= n; ++p) {
        const double edge = (start + size * p / n) / cell;
        if (std::abs(edge - std::round(edge)) < margin) return false;
      }
    }
    return true;
  };
  for (std::int64_t i = 0; i < images * count; ++i) {
    for (std::int64_t axis = 0; axis < 2; ++axis) {
      double start = 0.0, size = 0.0;
      do {
        size = random.uniform(3.0, cell * static_cast<double>(extent) * 0.6);
        start = random.uniform(-4.0, cell * static_cast<double>(extent) - size + 2.0);
      } while (!clear(start, size));
      result.data()[4 * i + axis] = start;
      result.data()[4 * i + 2 + axis] = size;
    }
  }
  return result;
}

using Unary = Variable<double> (*)(const Variable<double>&);

GradientCase unary(const std::string& op,
                   std::function<Variable<double>(const Variable<double>&)> f,
                   Tensor<double> (*draw)(const Shape&, RandomSource&)) {
  return {op,
          {"x"},
          [draw](RandomSource& random) {
            return Inputs{draw({2, 3}, random)};
          },
          [f](In in) { return f(in[0]); }};
}

Tensor<double> any(const Shape& shape, RandomSource& random) {
  return normal(shape, random);
}

Draw shapes(std::vector<Shape> list) {
  return [list](RandomSource& random) {
    Inputs inputs;
    for (const Shape& shape : list) inputs.push_back(normal(shape, random));
    return inputs;
  };
}

void add_elementwise(std::vector<GradientCase>& cases) {
  cases.push_back({"add", {"a", "b"}, shapes({{2, 3}, {3}}), [](In in) { return in[0] + in[1]; }});
  cases.push_back(
      {"subtract", {"a", "b"}, shapes({{2, 1}, {2, 3}}), [](In in) { return in[0] - in[1]; }});
  cases.push_back(
      {"multiply", {"a", "b"}, shapes({{2, 3}, {2, 1}}), [](In in) { return in[0] * in[1]; }});
  cases.push_back({"divide",
                   {"a", "b"},
                   [](RandomSource& random) {
                     return Inputs{normal({2, 3}, random), positive({1, 3}, random)};
                   },
                   [](In in) { return in[0] / in[1]; }});
  cases.push_back(unary(
      "scale", [](const Variable<double>& x) { return scale(x, -1.7); }, any));
  cases.push_back(unary(
      "add_scalar", [](const Variable<double>& x) { return add_scalar(x, 0.3); }, any));
  cases.push_back(unary("negate", Unary(negate<double>), any));
  cases.push_back(unary("exp", Unary(exp<double>), any));
  cases.push_back(unary("log", Unary(log<double>), positive));
  cases.push_back(unary("sqrt", Unary(sqrt<double>), positive));
  cases.push_back(unary("square", Unary(square<double>), any));
  cases.push_back(unary("abs", Unary(abs<double>), off_zero));
  cases.push_back(unary("reciprocal", Unary(reciprocal<double>), positive));
  cases.push_back(unary("sigmoid", Unary(sigmoid<double>), any));
  cases.push_back(unary("relu", Unary(relu<double>), off_zero));
  cases.push_back(unary(
      "leaky_relu", [](const Variable<double>& x) { return leaky_relu(x, 0.2); }, off_zero));
  cases.push_back(unary(
      "elu", [](const Variable<double>& x) { return elu(x, 0.7); }, off_zero));
  cases.push_back(unary(
      "pelu", [](const Variable<double>& x) { return pelu(x, 0.4); }, off_zero));
}

void add_reductions_and_layout(std::vector<GradientCase>& cases) {
  const auto one = [&](const std::string& op, const Shape& shape,
                       std::function<Variable<double>(const Variable<double>&)> f) {
    // Squared, so that linear operations have a second derivative to check.
    cases.push_back({op, {"x"}, shapes({shape}), [f](In in) { return f(square(in[0])); }});
  };
  one("sum", {2, 3}, [](const Variable<double>& x) { return sum(x); });
  one("sum over axes", {2, 3, 2}, [](const Variable<double>& x) { return sum(x, {0, -1}); });
  one("mean", {2, 3}, [](const Variable<double>& x) { return mean(x); });
  one("mean over axes", {2, 3, 2}, [](const Variable<double>& x) { return mean(x, {1}, true); });
  one("sum_to", {2, 3}, [](const Variable<double>& x) { return sum_to(x, Shape{3}); });
  one("broadcast_to", {3, 1}, [](const Variable<double>& x) {
    return broadcast_to(x, Shape{2, 3, 2});
  });
  one("reshape", {2, 3}, [](const Variable<double>& x) { return reshape(x, Shape{3, 2}); });
  one("permute", {2, 3, 2}, [](const Variable<double>& x) { return permute(x, {2, 0, 1}); });
  one("slice", {2, 4}, [](const Variable<double>& x) { return slice(x, 1, 1, 2); });
  one("pad", {2, 2}, [](const Variable<double>& x) { return pad(x, 0, 1, 2); });
  cases.push_back(
      {"inner", {"a", "b"}, shapes({{2, 3}, {2, 3}}), [](In in) { return inner(in[0], in[1]); }});
  cases.push_back({"concat", {"a", "b"}, shapes({{2, 1}, {2, 2}}), [](In in) {
                     return concat({square(in[0]), in[1] * in[1]}, 1);
                   }});
}

void add_matrices_and_convolutions(std::vector<GradientCase>& cases) {
  for (const bool ta : {false, true}) {
    for (const bool tb : {false, true}) {
      const std::string op = concatenate("matmul", ta ? " a^T" : "", tb ? " b^T" : "");
      cases.push_back({op,
                       {"a", "b"},
                       shapes({ta ? Shape{3, 2} : Shape{2, 3}, tb ? Shape{4, 3} : Shape{3, 4}}),
                       [=](In in) { return matmul(in[0], in[1], ta, tb); }});
    }
  }
  cases.push_back({"linear", {"x", "weight", "bias"}, shapes({{2, 3}, {4, 3}, {4}}), [](In in) {
                     return linear(in[0], in[1], in[2]);
                   }});
  struct Geometry {
    const char* op;
    Shape x, w;
    Conv2dGeometry geometry;
  };
  for (const Geometry& g : {Geometry{"conv2d", {2, 2, 5, 4}, {3, 2, 3, 3}, {2, 1}},
                            Geometry{"conv2d 1x1", {2, 3, 2, 3}, {2, 3, 1, 1}, {1, 0}},
                            Geometry{"conv2d one output", {2, 2, 4, 5}, {1, 2, 2, 3}, {1, 1}}}) {
    const Shape y = conv2d_shape(g.x, g.w, g.geometry);
    const std::string op = g.op;
    const Conv2dGeometry geometry = g.geometry;
    cases.push_back({op, {"x", "w"}, shapes({g.x, g.w}), [=](In in) {
                       return conv2d(in[0], in[1], geometry);
                     }});
    cases.push_back({op + ", data adjoint", {"gy", "w"}, shapes({y, g.w}), [=, x = g.x](In in) {
                       return conv2d_data_adjoint(in[0], in[1], geometry, x);
                     }});
    cases.push_back({op + ", filter adjoint", {"gy", "x"}, shapes({y, g.x}), [=, w = g.w](In in) {
                       return conv2d_filter_adjoint(in[0], in[1], geometry, w);
                     }});
  }
  cases.push_back({"conv2d_same", {"x", "w"}, shapes({{1, 2, 4, 5}, {1, 2, 4, 4}}), [](In in) {
                     return conv2d_same(in[0], in[1]);
                   }});
}

void add_pooling_and_norms(std::vector<GradientCase>& cases) {
  cases.push_back({"max_pool2d",
                   {"x"},
                   [](RandomSource& random) {
                     return Inputs{distinct({1, 2, 5, 4}, random)};
                   },
                   [](In in) {
                     return square(max_pool2d(in[0], {3, 2, 1}));
                   }});
  cases.push_back({"average_pool2d", {"x"}, shapes({{1, 2, 5, 4}}), [](In in) {
                     return average_pool2d(square(in[0]), {3, 2, 1});
                   }});
  cases.push_back(
      {"prroi_pool",
       {"features", "boxes"},
       [](RandomSource& random) {
         return Inputs{normal({2, 2, 5, 6}, random), boxes_off_cells(2, 2, 5, {3, 2}, random)};
       },
       [](In in) {
         return prroi_pool(in[0], rois_of(in[1]), {3, 2, 0.25});
       }});
  cases.push_back({"crop_resize", {"image"}, shapes({{2, 2, 4, 5}}), [](In in) {
                     return crop_resize(
                         square(in[0]),
                         {CropWindow{-1, 1, 4, 6, 1, 0, 0}, CropWindow{0, 0, 2, 2, 2, 1, 0}}, 3, 4);
                   }});
  cases.push_back({"batch_norm evaluation",
                   {"x", "weight", "bias"},
                   shapes({{2, 3, 2, 2}, {3}, {3}}),
                   [](In in) {
                     const Device device = in[0].device();
                     const Tensor<double> mean(Shape{3}, {0.1, -0.2, 0.3}, device),
                         variance(Shape{3}, {0.5, 1.0, 2.0}, device);
                     return batch_norm_evaluation(in[0], in[1], in[2], mean, variance, 1e-5);
                   }});
  cases.push_back(
      {"batch_norm training", {"x", "weight", "bias"}, shapes({{3, 2, 2, 1}, {2}, {2}}), [](In in) {
         return batch_norm_training(in[0], in[1], in[2], 1e-5).y;
       }});
  cases.push_back(
      {"mean_squared_error", {"prediction", "target"}, shapes({{2, 3}, {2, 3}}), [](In in) {
         return mean_squared_error(in[0], in[1]);
       }});
  cases.push_back({"dropout", {"x", "mask"}, shapes({{2, 3, 2, 2}, {2, 3, 1, 1}}), [](In in) {
                     return dropout(in[0], in[1]);
                   }});
}

constexpr IouPredictorWidths reduced{3, 4, 3, 3, 3, 4, 3, 4, 3, 4, 3};

/// The reduced predictor with random weights, its batch norms in evaluation with statistics of
/// their own.
IouPredictor<double> reduced_predictor(Device device = Device::cpu()) {
  RandomSource random(11);
  IouPredictor<double> predictor(IouArchitecture::modulation, reduced);
  NamedTensors weights;
  for (const auto& [name, shape] : expected_tensors(predictor, "")) {
    Tensor<float> tensor(shape);
    const bool matrix = shape.rank() >= 2;
    const double deviation =
        matrix ? std::sqrt(2.0 / static_cast<double>(shape.drop(0).numel())) : 0.2;
    // Offsets above zero keep most ReLUs open: a closed one hides the derivatives behind it.
    const bool factor = name.ends_with("weight") || name.ends_with("running_var");
    const double mean = matrix || name.ends_with("running_mean") ? 0.0 : factor ? 1.0 : 0.5;
    for (float& value : tensor.span())
      value = static_cast<float>(mean + std::clamp(random.normal(0.0, deviation), -0.8, 0.8));
    weights.emplace(name, tensor);
  }
  load_parameters(predictor, "", weights, device);
  return predictor;
}

// Maps of a 48 x 40 image.
const Shape layer2{1, reduced.layer2, 6, 5};
const Shape layer3{1, reduced.layer3, 3, 3};

Tensor<double> image_boxes(std::int64_t count, RandomSource& random) {
  Tensor<double> boxes(Shape{1, count, 4});
  for (std::int64_t k = 0; k < count; ++k) {
    const double values[4] = {random.uniform(-2, 15), random.uniform(-2, 12),
                              random.uniform(10, 28), random.uniform(10, 24)};
    std::copy(values, values + 4, boxes.data() + 4 * k);
  }
  return boxes;
}

void add_iou_predictor(std::vector<GradientCase>& cases, Device device) {
  RandomSource random(12);
  const auto map = [&](const Shape& shape) {
    return Variable<double>(normal(shape, random).to(device));
  };
  const auto reference2 = map(layer2), reference3 = map(layer3);
  const auto test2 = map(layer2), test3 = map(layer3);
  const auto predict = [=](const IouPredictor<double>& predictor, const Variable<double>& reference,
                           const Variable<double>& boxes) {
    const auto modulation =
        predictor.modulation(reference2, reference3, reshape(reference, Shape{1, 4}));
    return predictor.predict(predictor.features(test2, test3), modulation, boxes);
  };
  const auto draw_boxes = [](RandomSource& source) {
    return Inputs{image_boxes(1, source), image_boxes(3, source)};
  };
  // ReLUs and cell edges are everywhere inside: points that meet one are redrawn.
  cases.push_back({"iou_predictor",
                   {"reference box", "boxes"},
                   draw_boxes,
                   [=, predictor = reduced_predictor(device)](In in) {
                     return predict(predictor, in[0], in[1]);
                   },
                   2});

  GradientCase parameters{"iou_predictor parameters", {}, {}, {}, 1, 3};
  IouPredictor<double> pattern = reduced_predictor();
  std::vector<Shape> parameter_shapes;
  for (const auto& [name, value] : named_parameters(pattern, "")) {
    parameters.arguments.push_back(name);
    parameter_shapes.push_back(value->shape());
  }
  RandomSource box_source(13);
  const Variable<double> reference(image_boxes(1, box_source).to(device)),
      boxes(image_boxes(3, box_source).to(device));
  parameters.draw = [](RandomSource& source) {
    IouPredictor<double> drawn = reduced_predictor();
    Inputs inputs;
    for (const auto& [name, value] : named_parameters(drawn, "")) {
      Tensor<double> tensor = value->value().clone();
      for (double& entry : tensor.span()) entry += source.normal(0.0, 0.02);
      inputs.push_back(tensor);
    }
    return inputs;
  };
  parameters.f = [=](In in) {
    IouPredictor<double> predictor = reduced_predictor(device);
    const auto slots = named_parameters(predictor, "");
    for (std::size_t i = 0; i < slots.size(); ++i) *slots[i].second = in[i];
    return predict(predictor, reference, boxes);
  };
  cases.push_back(std::move(parameters));
}

void add_classifier(std::vector<GradientCase>& cases, Device device) {
  RandomSource random(14);
  const Tensor<double> samples = normal({2, 3, 5, 5}, random).to(device),
                       labels = positive({2, 1, 5, 5}, random).to(device),
                       weights(Shape{2}, {0.4, 0.6}, device);
  // A wide PELU: the paper's alpha of 0.05 would bend within the step of the numeric derivative.
  const ClassifierLoss loss{1.5, 0.1, 1e-2};
  const auto residuals = joint_residuals(samples, labels, weights, loss);
  const Draw draw = [](RandomSource& source) {
    return Inputs{normal({1, 2, 4, 4}, source, 0, 0.3), normal({2, 3, 1, 1}, source, 0, 0.5)};
  };
  const auto flat = [](const Variable<double>& x) { return reshape(x, Shape{x.shape().numel()}); };
  const CheckedFunction r = [=](In in) {
    const auto parts = residuals(in);
    return concat({flat(parts[0]), flat(parts[1]), flat(parts[2])}, 0);
  };
  cases.push_back({"classifier residuals", {"filter", "projection"}, draw, r, 1});

  // J p and J^T J p as Algorithm 1 forms them, against the numeric derivative of r: with p fixed, t
  // -> r(w + t p) has the derivative J p at t = 0, and s -> <r(w + s), J p> has the gradient J^T J
  // p.
  cases.push_back({"J^T J p",
                   {"w"},
                   [draw](RandomSource& source) {
                     const Inputs w = draw(source);
                     Tensor<double> both(Shape{w[0].numel() + w[1].numel()});
                     std::copy_n(w[0].data(), w[0].numel(), both.data());
                     std::copy_n(w[1].data(), w[1].numel(), both.data() + w[0].numel());
                     return Inputs{both};
                   },
                   [=](In in) {
                     const Variable<double> w2 = reshape(slice(in[0], 0, 0, 32), Shape{1, 2, 4, 4}),
                                            w1 = reshape(slice(in[0], 0, 32, 6), Shape{2, 3, 1, 1});
                     const std::vector<Variable<double>> w{w2, w1};
                     return r(w);
                   },
                   1});
}

/// Algorithm 1's J^T J p for the residuals of a case, against J^T J p with J formed numerically
/// column by column.
GradientReport check_product(const GradientCase& gradient_case) {
  RandomSource random(15);
  const Inputs w = gradient_case.draw(random);
  const Inputs p{normal(w[0].shape(), random)};
  const ResidualFunction<double> residuals = [&](In in) {
    return std::vector<Variable<double>>{gradient_case.f(in)};
  };
  const Tensor<double> ours = gauss_newton_product<double>(residuals, w, p)[0];
  // <c, J^T J p> for the unit vectors c: the numeric Jacobian comes from fourth-order differences
  // of r.
  const auto n = static_cast<std::size_t>(w[0].numel());
  constexpr double h = 2e-3;
  std::vector<std::vector<double>> columns;
  for (std::size_t c = 0; c < n; ++c) {
    const auto at = [&](double t) {
      Tensor<double> moved = w[0].clone();
      moved.data()[c] += t;
      const std::vector<Variable<double>> in{Variable<double>(moved)};
      return gradient_case.f(in).value().to_vector();
    };
    const auto p1 = at(h), m1 = at(-h), p2 = at(2 * h), m2 = at(-2 * h), p3 = at(3 * h),
               m3 = at(-3 * h);
    std::vector<double> column(p1.size());
    for (std::size_t r = 0; r < column.size(); ++r) {
      column[r] = (45 * (p1[r] - m1[r]) - 9 * (p2[r] - m2[r]) + (p3[r] - m3[r])) / (60 * h);
    }
    columns.push_back(std::move(column));
  }
  std::vector<double> jp(columns[0].size(), 0.0);
  for (std::size_t c = 0; c < n; ++c) {
    for (std::size_t r = 0; r < jp.size(); ++r) jp[r] += columns[c][r] * p[0].data()[c];
  }
  ArgumentReport argument;
  argument.argument = "w";
  std::vector<double> expected(n, 0.0);
  double norm = 0.0;
  for (std::size_t c = 0; c < n; ++c) {
    for (std::size_t r = 0; r < jp.size(); ++r) expected[c] += columns[c][r] * jp[r];
    norm = std::max(norm, std::abs(expected[c]));
  }
  for (std::size_t c = 0; c < n; ++c) {
    const double gap = std::abs(ours.data()[c] - expected[c]);
    const double relative =
        gap / std::max({std::abs(ours.data()[c]), std::abs(expected[c]), 1e-3 * norm, 1e-6});
    argument.max_absolute_error = std::max(argument.max_absolute_error, gap);
    if (relative >= argument.max_relative_error) {
      argument.max_relative_error = relative;
      argument.row = static_cast<std::int64_t>(c);
      argument.analytic = ours.data()[c];
      argument.numeric = expected[c];
    }
  }
  argument.entries = static_cast<std::int64_t>(n);
  argument.passed = argument.max_relative_error <= GradientCheckOptions{}.first_order_tolerance;
  GradientReport report;
  report.arguments.push_back(argument);
  return report;
}

/// x on another device; so is its gradient on the way back.
Variable<double> moved(const Variable<double>& x, Device device) {
  if (x.device() == device) return x;
  return record(
      "moved", x.value().to(device),
      [home = x.device()](std::size_t, const Variable<double>& g) { return moved(g, home); }, x);
}

/// The function on `device`, for inputs and a result on the host, where the checker works.
CheckedFunction through(Device device, const CheckedFunction& f) {
  if (device.is_host()) return f;
  return [device, f](In in) {
    std::vector<Variable<double>> there;
    for (const Variable<double>& input : in) there.push_back(moved(input, device));
    return moved(f(there), Device::cpu());
  };
}

}  // namespace

std::vector<GradientCase> gradient_cases(Device device) {
  std::vector<GradientCase> cases;
  add_elementwise(cases);
  add_reductions_and_layout(cases);
  add_matrices_and_convolutions(cases);
  add_pooling_and_norms(cases);
  add_iou_predictor(cases, device);
  add_classifier(cases, device);
  for (GradientCase& one : cases) one.f = through(device, one.f);
  return cases;
}

GradientReport check(const GradientCase& gradient_case) {
  if (gradient_case.op == "J^T J p") return check_product(gradient_case);
  GradientCheckOptions options;
  options.order = gradient_case.order;
  options.projections = gradient_case.projections;
  options.redraw = gradient_case.draw;
  options.argument_names = gradient_case.arguments;
  RandomSource random(options.seed);
  return check_gradients(gradient_case.f, gradient_case.draw(random), options);
}

}  // namespace atomtrack::tools
