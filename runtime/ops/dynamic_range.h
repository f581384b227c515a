// Limits what lies far below a peak, then shifts and scales:
//   y = (max(x, peak - range) + offset) * scale
// With a peak from reduce_max this is the clamping of log-mel features (Radford et al., 2022, reference
// code).
#pragma once

#include "graph/op.h"

namespace fovea {

struct DynamicRange {
  static constexpr const char *kName = "dynamic_range";
  Value x;    // f32, any shape
  Value peak; // [1] f32
  float range = 8, offset = 4, scale = 0.25f;

  void fields(FieldVisitor &v) {
    v.operand("x", x);
    v.operand("peak", peak);
    v.field("range", range, 8.0f);
    v.field("offset", offset, 4.0f);
    v.field("scale", scale, 0.25f);
  }
  TensorType infer(const Types &t) const;
  void lower(Lowering &l) const;
  void reference(ReferenceCall &call) const;
};

} // namespace fovea
