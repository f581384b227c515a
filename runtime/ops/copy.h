// The same values elsewhere: into a state (`copy(x) -> k0[pos]`), or a state's values as a result, so that
// they can be read. f32 rows stored into an f16 state are rounded; rows past its capacity are dropped.
#pragma once

#include "graph/op.h"

namespace fovea {

struct Copy {
  static constexpr const char *kName = "copy";
  static constexpr bool kStores = true;
  Value x; // [.., T, D] f32 or f16; the result is f32

  void fields(FieldVisitor &v) { v.operand("x", x); }
  TensorType infer(const Types &t) const;
  void lower(Lowering &l) const;
  void reference(ReferenceCall &call) const;
};

/// Appends the dispatch that writes `x` to the current target.
void lower_copy(Lowering &l, Value x);

} // namespace fovea
