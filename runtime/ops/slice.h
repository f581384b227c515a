// Some of a tensor's rows or channels.
#pragma once

#include "ops/concat.h"

namespace fovea {

struct Slice {
  static constexpr const char *kName = "slice";
  Value x; // f32 [.., T, D]
  Axis axis = Axis::Rows;
  uint32_t begin = 0; // the first, or
  uint32_t last = 0;  // this many at the end
  uint32_t count = 0; // from `begin`; 0: to the end

  void fields(FieldVisitor &v) {
    v.operand("x", x);
    v.field("axis", axis, kAxisNames);
    v.field("begin", begin, 0u);
    v.field("last", last, 0u);
    v.field("count", count, 0u);
  }
  TensorType infer(const Types &t) const;
  void lower(Lowering &l) const;
  void reference(ReferenceCall &call) const;
  void work(OpWork &work) const;
};

} // namespace fovea
