// One tensor for every batch: learned queries [Q, D] as [B, Q, D].
#pragma once

#include "graph/op.h"

namespace fovea {

struct Repeat {
  static constexpr const char *kName = "repeat";
  Value x;    // [..] f32, at most rank 3
  Value like; // [B, ..]: says how many times

  void fields(FieldVisitor &v) {
    v.operand("x", x);
    v.operand("like", like);
  }
  TensorType infer(const Types &t) const; // [B, ..]
  void lower(Lowering &l) const;
  void reference(ReferenceCall &call) const;
};

} // namespace fovea
