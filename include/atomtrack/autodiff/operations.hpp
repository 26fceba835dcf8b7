// SPDX-License-Identifier: MIT
#pragma once

// Every differentiable operation. Each one's vector-Jacobian product is written in these operations
// again, so the set is closed: gradients of gradients are just gradients.

#include "atomtrack/autodiff/backprop.hpp"
#include "atomtrack/autodiff/batch_norm.hpp"
#include "atomtrack/autodiff/convolution.hpp"
#include "atomtrack/autodiff/crop.hpp"
#include "atomtrack/autodiff/elementwise.hpp"
#include "atomtrack/autodiff/layout.hpp"
#include "atomtrack/autodiff/losses.hpp"
#include "atomtrack/autodiff/matrix.hpp"
#include "atomtrack/autodiff/pooling.hpp"
#include "atomtrack/autodiff/prroi_pool.hpp"
#include "atomtrack/autodiff/reductions.hpp"
