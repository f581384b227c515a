// Softmax over rows: y[n, j] = exp(scale x[n, j]) / sum_i exp(scale x[n, i]), shifted by the row's maximum;
// or its logarithm, taken without leaving it.
#pragma once

#include "graph/op.h"

namespace fovea {

struct Softmax {
  static constexpr const char *kName = "softmax";
  Value x;         // [.., D] f32
  float scale = 1; // positive
  bool log = false;

  void fields(FieldVisitor &v) {
    v.operand("x", x);
    v.field("scale", scale, 1.0f);
    v.field("log", log, false);
  }
  TensorType infer(const Types &t) const;
  void lower(Lowering &l) const;
  void reference(ReferenceCall &call) const;
};

} // namespace fovea
