// A sequence as a feature map of one line, so that convolutions of maps take it: another name of the same
// bytes where the result is used inside the graph.
//   [B, T, C] → [B, 1, T, C];  [B, N] → [B, 1, N, 1]
#pragma once

#include "graph/op.h"

namespace fovea {

struct AsMap {
  static constexpr const char *kName = "as_map";
  Value x; // [B, T, C] or [B, N] f32

  void fields(FieldVisitor &v) { v.operand("x", x); }
  TensorType infer(const Types &t) const;
  void lower(Lowering &l) const;
  void reference(ReferenceCall &call) const;
};

} // namespace fovea
