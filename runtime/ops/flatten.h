// A feature map as a sequence: another name of the same bytes where the result is used inside the graph.
//   [B, H, W, C] → [B, H * W, C]
#pragma once

#include "graph/op.h"

namespace fovea {

struct Flatten {
  static constexpr const char *kName = "flatten";
  Value x; // [B, H, W, C] f32

  void fields(FieldVisitor &v) { v.operand("x", x); }
  TensorType infer(const Types &t) const;
  void lower(Lowering &l) const;
  void reference(ReferenceCall &call) const;
};

} // namespace fovea
