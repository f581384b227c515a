// What linear, conv1d and conv2d share: a product with rows of x that may overlap and may reach outside x, or
// are windows of a map.
#pragma once

#include "graph/lowering.h"
#include "kernels/catalogue.h"
#include "kernels/select.h"

namespace fovea {

/// Rows of a product that are windows of a map [B, in_h, in_w, channels]: shaders/include/conv2d.glsl.
struct MapWindows {
  uint32_t in_h = 0, in_w = 0, out_h = 0, out_w = 0, channels = 0;
  uint32_t stride_h = 1, stride_w = 1, pad_top = 0, pad_left = 0, dilation_h = 1, dilation_w = 1;
  uint32_t taps_h = 1, taps_w = 1, run = 0;
  uint32_t groups = 1;
};

struct LinearCall {
  Value x, weight, bias, residual;
  Activation act = Activation::None;
  // Row r of the product reads x elements x_offset + r * x_stride … + K - 1.
  int64_t x_offset = 0;
  uint64_t x_stride = 0;
  bool bounded = false; // reads outside x give 0
  uint64_t n_rows = 0, n_cols = 0, k = 0;
  bool residual_first = false; // act(sum + bias + residual)
  bool gated = false;          // act(column 2n) * column 2n + 1
  std::optional<MapWindows> windows{};
  std::optional<RowNorm> norm{}; // of x's rows; found by lower_linear()
};

/// Error Unsupported for a gated product into a state of halves.
void lower_linear(Lowering &l, const LinearCall &call);

/// act(x) in double, for references.
double activate(Activation act, double x);

/// The reference of the product: rows as in LinearCall.
void reference_linear(ReferenceCall &call, const LinearCall &linear);

/// Checks weight, bias and residual against N, K and the result's shape.
void check_linear_operands(const Types &t, const LinearCall &call, const Shape &result);

} // namespace fovea
