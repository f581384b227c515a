// Rows scaled to length one: y[n] = x[n] / max(|x[n]|, eps).
#pragma once

#include "graph/op.h"

namespace fovea {

struct L2Normalize {
  static constexpr const char *kName = "l2_normalize";
  Value x; // [.., D] f32
  float eps = 1e-12f;

  void fields(FieldVisitor &v) {
    v.operand("x", x);
    v.field("eps", eps, 1e-12f);
  }
  TensorType infer(const Types &t) const;
  void lower(Lowering &l) const;
  void reference(ReferenceCall &call) const;
};

} // namespace fovea
