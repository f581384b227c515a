// y = act(x W^T + bias) + residual, or act(x W^T + bias + residual): the matrix product of every dense layer.
// Gated (GLU: Shazeer 2020, arXiv:2002.05202): rows 2n and 2n + 1 of W give y[n] = act(s[2n]) * s[2n + 1].
// W is [N, K] in any encoding; accumulation is f32. A matrix larger than the device can bind is split by rows
// of W.
#pragma once

#include "graph/op.h"
#include "kernels/select.h"

namespace fovea {

inline constexpr const char *kActivationNames[] = {"none",      "gelu",       "relu",       "silu",
                                                   "gelu_tanh", "quick_gelu", "tanh",       "sigmoid",
                                                   "relu6",     "hardswish",  "hardsigmoid"};

struct Linear {
  static constexpr const char *kName = "linear";
  static constexpr bool kStores = true, kTakesNorms = true;
  Value x;        // [.., T, K] f32
  Value weight;   // [N, K], a tensor of the file
  Value bias;     // [N] f32, a tensor of the file, or none
  Value residual; // [.., T, N] f32, or none; none when gated
  Activation act = Activation::None;
  bool act_last = false; // act(sum + bias + residual)
  bool gated = false;    // y is [.., T, N / 2]

  void fields(FieldVisitor &v) {
    v.operand("x", x);
    v.operand("weight", weight);
    v.optional_operand("bias", bias);
    v.optional_operand("residual", residual);
    v.field("act", act, kActivationNames);
    v.field("act_last", act_last, false);
    v.field("gated", gated, false);
  }
  TensorType infer(const Types &t) const;
  void lower(Lowering &l) const;
  void reference(ReferenceCall &call) const;
};

} // namespace fovea
