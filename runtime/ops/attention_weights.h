// The probabilities that attention with the same operands weighs v with, for looking at:
//   y[b, h, t, s] = softmax_s(scale * q[t, h] . k[s, g] + bias[h, s - pos(t)]),  [B, H, T, S]; 0 for hidden
//   keys
// Computed anew from q and k, so that attention itself never stores a score: a graph offers it, and who does
// not ask for it pays nothing.
#pragma once

#include "ops/attention.h"

namespace fovea {

struct AttentionWeights : AttentionFields {
  static constexpr const char *kName = "attention_weights";

  void fields(FieldVisitor &visitor);
  TensorType infer(const Types &t) const;
  void lower(Lowering &l) const;
  void reference(ReferenceCall &call) const;
  void work(OpWork &work) const { work_on(work, {k}); }
};

} // namespace fovea
