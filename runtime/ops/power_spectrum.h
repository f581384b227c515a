// Power of complex rows: y[t, f] = re[t, f]^2 + im[t, f]^2. A row of x holds F real parts, then F imaginary
// ones: what a linear with the rows of a windowed Fourier matrix produces.
#pragma once

#include "graph/op.h"

namespace fovea {

struct PowerSpectrum {
  static constexpr const char *kName = "power_spectrum";
  Value x; // [.., 2F] f32; the result is [.., F]

  void fields(FieldVisitor &v) { v.operand("x", x); }
  TensorType infer(const Types &t) const;
  void lower(Lowering &l) const;
  void reference(ReferenceCall &call) const;
};

} // namespace fovea
