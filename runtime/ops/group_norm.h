// Group normalization (Wu and He, 2018): each group of channels of each batch over all its positions, then a
// factor and an offset by channel, then an activation.
//   y[b, t, c] = act((x[b, t, c] - mean(b, g)) / sqrt(var(b, g) + eps) gamma[c] + beta[c]),   g = c / (C /
//   groups)
// With as many groups as channels it is instance normalization; with one group and one channel, a recording
// brought to mean 0 and variance 1.
#pragma once

#include "ops/linear.h"

namespace fovea {

struct GroupNorm {
  static constexpr const char *kName = "group_norm";
  Value x;           // [B, .., C] f32; rank 2 to 4
  Value gamma, beta; // [C] f32, or none: 1 and 0
  uint32_t groups = 1;
  float eps = 1e-5f;
  Activation act = Activation::None;

  void fields(FieldVisitor &v) {
    v.operand("x", x);
    v.optional_operand("gamma", gamma);
    v.optional_operand("beta", beta);
    v.field("groups", groups, 1u);
    v.field("eps", eps, 1e-5f);
    v.field("act", act, kActivationNames);
  }
  TensorType infer(const Types &t) const;
  void lower(Lowering &l) const;
  void reference(ReferenceCall &call) const;
};

} // namespace fovea
