// What linear and conv1d share: a product with rows of x that may overlap and may reach outside x.
#pragma once

#include "graph/lowering.h"
#include "kernels/catalogue.h"
#include "kernels/select.h"

namespace fovea {

struct LinearCall {
  Value x, weight, bias, residual;
  Activation act = Activation::None;
  // Row r of the product reads x elements x_offset + r * x_stride … + K - 1.
  int64_t x_offset = 0;
  uint64_t x_stride = 0;
  bool bounded = false; // reads outside x give 0
  uint64_t n_rows = 0, n_cols = 0, k = 0;
};

void lower_linear(Lowering &l, const LinearCall &call);

/// act(x) in double, for references.
double activate(Activation act, double x);

/// The reference of the product: rows as in LinearCall.
void reference_linear(ReferenceCall &call, const LinearCall &linear);

/// Checks weight, bias and residual against N, K and the result's shape.
void check_linear_operands(const Types &t, const LinearCall &call, const Shape &result);

} // namespace fovea
