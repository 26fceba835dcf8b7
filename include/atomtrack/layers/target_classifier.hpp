// SPDX-License-Identifier: MIT
#pragma once

#include "atomtrack/autodiff/operations.hpp"

namespace atomtrack {

// The target classification network, equation (2): f(x; w) = phi_2(w_2 * phi_1(w_1 * x)), phi_1
// being the identity. w_1 [D,C,1,1] projects the backbone's C channels to D, w_2 [1,D,k,k] turns
// them into one score per cell.

/// w_1 * x: [N,C,H,W] -> [N,D,H,W].
template <class T>
Variable<T> project(const Variable<T>& x, const Variable<T>& w1) {
  return conv2d(x, w1);
}

/// w_2 * x for projected features [N,D,H,W] -> [N,1,H,W]: the scores, before phi_2. For an even k
/// cell i of the result is centred between cells i-1 and i.
template <class T>
Variable<T> target_scores(const Variable<T>& projected, const Variable<T>& w2) {
  return conv2d_same(projected, w2);
}

/// phi_2 of the paper: PELU with parameter alpha (section 3.3). Easy negatives, at scores far below
/// zero, saturate at -alpha.
template <class T>
Variable<T> target_confidence(const Variable<T>& scores, double alpha) {
  return pelu(scores, alpha);
}

}  // namespace atomtrack
