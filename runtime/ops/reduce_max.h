// The largest element of a tensor.
#pragma once

#include "graph/op.h"

namespace fovea {

struct ReduceMax {
  static constexpr const char *kName = "reduce_max";
  Value x; // f32, any shape; the result is [1]

  void fields(FieldVisitor &v) { v.operand("x", x); }
  TensorType infer(const Types &t) const;
  void lower(Lowering &l) const;
  void reference(ReferenceCall &call) const;
};

} // namespace fovea
