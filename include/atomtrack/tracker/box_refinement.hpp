// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <vector>

#include "atomtrack/autodiff/variable.hpp"
#include "atomtrack/image/image_view.hpp"
#include "atomtrack/tensor/random.hpp"
#include "atomtrack/tracker/options.hpp"

namespace atomtrack {

/// Predicts the overlap [1,K] of boxes [1,K,4] (x, y, width, height in crop pixels).
template <class T>
using OverlapPredictor = std::function<Variable<T>(const Variable<T>& boxes)>;

/// In which coordinates a box ascends.
enum class RefinementSpace {
  image,     ///< (x, y, width, height): the step is scaled by the box's own (width, height, width,
             ///< height)
  relative,  ///< (c_x / w_0, c_y / h_0, log w, log h) with w_0, h_0 of the first box
};

struct RefinementOptions {
  int steps = 5;
  double position_step = 1.0;  ///< step length of position
  double size_step = 1.0;      ///< and of size
  double decay = 1.0;  ///< < 1: a step that did not raise a box's overlap is undone and that box's
                       ///< step length multiplied by this
  RefinementSpace space = RefinementSpace::image;
};

template <class T>
struct RefinedBoxes {
  Tensor<T> boxes;    ///< [K,4] after the last step
  Tensor<T> overlap;  ///< [K], predicted before the last step: the boxes that it leads to are not
                      ///< scored any more
};

/// Maximises the predicted overlap over each of `boxes` [K,4] by gradient ascent (sections 3.1
/// and 3.3). Does not wait for the device of `boxes` in image space without decay.
template <class T>
RefinedBoxes<T> refine_boxes(const OverlapPredictor<T>& predict, const Tensor<T>& boxes,
                             const RefinementOptions& options);

/// The box itself and `options.proposals` - 1 more around it, with uniform noise on centre and size
/// (section 3.3), drawn from `random`. Rows (x, y, width, height) in crop pixels.
std::vector<Box> propose_boxes(const Box& box, const Options& options, RandomSource& random);

/// The mean of the `options.boxes_averaged` boxes of highest overlap, of those whose shape is
/// acceptable (sides of at least one pixel after clamping, aspect ratio within bounds). False if
/// there is none; `mean` and `overlap` are then untouched.
bool mean_of_best(const Tensor<float>& boxes, const Tensor<float>& overlap, const Options& options,
                  Box& mean, double& mean_overlap);

extern template RefinedBoxes<float> refine_boxes(const OverlapPredictor<float>&,
                                                 const Tensor<float>&, const RefinementOptions&);
extern template RefinedBoxes<double> refine_boxes(const OverlapPredictor<double>&,
                                                  const Tensor<double>&, const RefinementOptions&);

}  // namespace atomtrack
