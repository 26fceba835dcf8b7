// SPDX-License-Identifier: MIT
#include "atomtrack/primitives/feature_program.hpp"

namespace atomtrack {

template <class T>
std::vector<Shape> FeatureProgram<T>::value_shapes() const {
  require<ShapeError>(input.rank() == 3, "feature program: input ", input, ": expected [C,H,W]");
  std::vector<Shape> shapes{input};
  for (const Step& step : steps) {
    const std::size_t index = shapes.size() - 1;
    require<ShapeError>(step.input < shapes.size(), "feature program: step ", index,
                        " reads value ", step.input, " before it is made");
    const Shape& read = shapes[step.input];
    const Shape batch{1, read[0], read[1], read[2]};
    Shape made;
    if (step.kind == Step::Kind::max_pool) {
      made = pool2d_shape(batch, step.pool).drop(0);
    } else {
      made = conv2d_shape(batch, step.filter.shape(), step.geometry).drop(0);
      require<ShapeError>(step.bias.shape() == Shape{made[0]}, "feature program: step ", index,
                          " has bias ", step.bias.shape(), ": expected [", made[0], "]");
      if (step.has_residual) {
        require<ShapeError>(step.residual < shapes.size() && shapes[step.residual] == made,
                            "feature program: the residual of step ", index,
                            " does not have its shape ", made);
      }
    }
    shapes.push_back(made);
  }
  for (const std::size_t output : outputs) {
    require<ShapeError>(output < shapes.size(), "feature program: no value ", output,
                        " to give out");
  }
  return shapes;
}

template struct FeatureProgram<float>;
template struct FeatureProgram<double>;

}  // namespace atomtrack
