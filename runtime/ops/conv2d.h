// 2-D convolution of a map with its channels innermost:
//   y[b, i, j, n] = act(sum_{p, q, c} W[n, p, q, c] x[b, i stride + p dilation - top, j stride + q dilation -
//   left, c]
//                       + bias[n]) + residual[b, i, j, n]
// Computed as linear's product over the windows of the map, which no memory ever holds (implicit GEMM:
// Chetlur et al., "cuDNN: Efficient Primitives for Deep Learning", 2014); 1 x 1 windows are linear itself. A
// channel by itself is depthwise_conv2d.
#pragma once

#include "ops/linear.h"
#include "ops/window2d.h"

namespace fovea {

struct Conv2d {
  static constexpr const char *kName = "conv2d";
  Value x; // [B, H, W, C] f32
  /// [N, K], a tensor of the file. Row n has taps outermost: element (p kernel_w + q) C/groups + c. K may be
  /// larger than kernel_h kernel_w C/groups (quantized rows are multiples of 32); what lies beyond is not
  /// used.
  Value weight;
  Value bias;     // [N] f32, or none
  Value residual; // [B, H', W', N] f32, or none
  Window2d window;
  uint32_t groups = 1; // group g of N/groups outputs sees group g of C/groups channels
  Activation act = Activation::None;
  bool act_last = false; // act(sum + bias + residual)

  void fields(FieldVisitor &v) {
    v.operand("x", x);
    v.operand("weight", weight);
    v.optional_operand("bias", bias);
    v.optional_operand("residual", residual);
    window.fields(v);
    v.field("groups", groups, 1u);
    v.field("act", act, kActivationNames);
    v.field("act_last", act_last, false);
  }
  TensorType infer(const Types &t) const;
  void lower(Lowering &l) const;
  void reference(ReferenceCall &call) const;
};

} // namespace fovea
