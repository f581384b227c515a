// 1-D convolution over rows (time), channels innermost: y[t] = act(sum_j W_j x[t * stride + j - padding] +
// bias) + residual. Because rows of x are adjacent in memory, the window of output t is one contiguous slice
// of x: the convolution is a linear over overlapping rows, without im2col.
#pragma once

#include "ops/linear.h"

namespace fovea {

struct Conv1d {
  static constexpr const char *kName = "conv1d";
  Value x;        // [T, C] f32; rank 1 is [T, 1]
  Value weight;   // [N, kernel * C], a tensor of the file; element j * C + c is tap j of channel c
  Value bias;     // [N] f32, or none
  Value residual; // [T', N] f32, or none
  uint32_t kernel = 0, stride = 1, padding = 0;
  Activation act = Activation::None;

  void fields(FieldVisitor &v) {
    v.operand("x", x);
    v.operand("weight", weight);
    v.optional_operand("bias", bias);
    v.optional_operand("residual", residual);
    v.field("kernel", kernel, std::nullopt);
    v.field("stride", stride, 1u);
    v.field("padding", padding, 0u);
    v.field("act", act, kActivationNames);
  }
  TensorType infer(const Types &t) const;
  void lower(Lowering &l) const;
  void reference(ReferenceCall &call) const;
};

} // namespace fovea
