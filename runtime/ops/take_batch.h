// Picks batches by number: y[b] = x[order[b]]. With `copy(y) -> x` it reorders a state, as beam search does
// to the caches of the beams that survive.
#pragma once

#include "graph/op.h"

namespace fovea {

struct TakeBatch {
  static constexpr const char *kName = "take_batch";
  Value x;     // [B, .., D] f32 or f16
  Value order; // [N] i32, clamped to 0 .. B - 1; the result is [N, .., D] f32

  void fields(FieldVisitor &v) {
    v.operand("x", x);
    v.operand("order", order);
  }
  TensorType infer(const Types &t) const;
  void lower(Lowering &l) const;
  void reference(ReferenceCall &call) const;
};

} // namespace fovea
