// Other batches of the same rows: another name of the same bytes where the result is used inside the graph.
//   x [B, T, D], like [G, ..] → [G, B T / G, D]
// So the sequences that a beam search keeps of one source share its keys: as queries they are one batch.
#pragma once

#include "graph/op.h"

namespace fovea {

struct Regroup {
  static constexpr const char *kName = "regroup";
  Value x;    // [B, T, D] f32
  Value like; // its first dimension is the number of batches

  void fields(FieldVisitor &v) {
    v.operand("x", x);
    v.operand("like", like);
  }
  TensorType infer(const Types &t) const;
  void lower(Lowering &l) const;
  void reference(ReferenceCall &call) const;
};

} // namespace fovea
