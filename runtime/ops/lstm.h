// Long short-term memory (Hochreiter and Schmidhuber, 1997), with PyTorch's order of gates i, f, g, o:
//   a = x[t] + W h[t-1] + bias,  c[t] = s(a_f) c[t-1] + s(a_i) tanh(a_g),  h[t] = s(a_o) tanh(c[t])
// x is W_ih input + b_ih (+ b_hh), by one linear over all rows. With reverse, t runs from T - 1 to 0.
// The state holds h and c.
#pragma once

#include "ops/recurrence_operands.h"

namespace fovea {

struct Lstm : RecurrenceOperands {
  static constexpr const char *kName = "lstm";
  TensorType infer(const Types &t) const; // [B, T, H]
  void lower(Lowering &l) const;
  void reference(ReferenceCall &call) const;
};

} // namespace fovea
