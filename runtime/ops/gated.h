// Gated activation (Shazeer, "GLU Variants Improve Transformer", 2020): y[n] = act(x[n, :F]) * x[n, F:].
// x is one product with the gate's and the value's matrices stacked.
#pragma once

#include "ops/linear.h"

namespace fovea {

struct Gated {
  static constexpr const char *kName = "gated";
  Value x; // [.., 2F] f32; the result is [.., F]
  Activation act = Activation::None;

  void fields(FieldVisitor &v) {
    v.operand("x", x);
    v.field("act", act, kActivationNames);
  }
  TensorType infer(const Types &t) const;
  void lower(Lowering &l) const;
  void reference(ReferenceCall &call) const;
};

} // namespace fovea
