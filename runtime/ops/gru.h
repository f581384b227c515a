// Gated recurrent unit (Cho et al., 2014), as PyTorch has it, with its order of gates r, z, n:
//   a = W h[t-1] + bias,  r = s(x_r + a_r),  z = s(x_z + a_z),  n = tanh(x_n + r a_n),  h[t] = (1 - z) n + z
//   h[t-1]
// x is W_ih input + b_ih, by one linear over all rows. With reverse, t runs from T - 1 to 0.
// The state holds h.
#pragma once

#include "ops/recurrence_operands.h"

namespace fovea {

struct Gru : RecurrenceOperands {
  static constexpr const char *kName = "gru";
  TensorType infer(const Types &t) const; // [B, T, H]
  void lower(Lowering &l) const;
  void reference(ReferenceCall &call) const;
};

} // namespace fovea
