// Convolution of each channel of a map by itself (Howard et al., "MobileNets", 2017):
//   y[b, i, j, c] = act(sum_{p, q} W[p, q, c] x[b, i stride + p dilation - top, j stride + q dilation - left,
//   c] + bias[c])
// Weights have their channels innermost, as the map has, so that both are read 16 bytes at a time.
#pragma once

#include "ops/linear.h"
#include "ops/window2d.h"

namespace fovea {

struct DepthwiseConv2d {
  static constexpr const char *kName = "depthwise_conv2d";
  Value x;      // [B, H, W, C] f32
  Value weight; // [kernel_h * kernel_w, C] f32 or f16, a tensor of the file
  Value bias;   // [C] f32, or none
  Window2d window;
  Activation act = Activation::None;

  void fields(FieldVisitor &v) {
    v.operand("x", x);
    v.operand("weight", weight);
    v.optional_operand("bias", bias);
    window.fields(v);
    v.field("act", act, kActivationNames);
  }
  TensorType infer(const Types &t) const; // [B, H', W', C]
  void lower(Lowering &l) const;
  void reference(ReferenceCall &call) const;
};

} // namespace fovea
