// Every row of one matrix against every row of another, both computed: y[i, j] = scale a[i] . b[j]. For a few
// hundred of each; a product with a tensor of the file is linear.
#pragma once

#include "graph/op.h"

namespace fovea {

struct DotRows {
  static constexpr const char *kName = "dot_rows";
  Value a;     // [N, D] f32
  Value b;     // [M, D] f32
  Value scale; // [1] f32, or none: 1

  void fields(FieldVisitor &v) {
    v.operand("a", a);
    v.operand("b", b);
    v.optional_operand("scale", scale);
  }
  TensorType infer(const Types &t) const; // [N, M]
  void lower(Lowering &l) const;
  void reference(ReferenceCall &call) const;
};

} // namespace fovea
