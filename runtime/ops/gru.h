// Gated recurrent unit (Cho et al., 2014), as PyTorch has it, with its order of gates r, z, n:
//   a = W h[t-1] + bias,  r = s(x_r + a_r),  z = s(x_z + a_z),  n = tanh(x_n + r a_n),  h[t] = (1 - z) n + z
//   h[t-1]
// x is W_ih input + b_ih, by one linear over all rows. With reverse, t runs from T - 1 to 0.
#pragma once

#include "graph/op.h"

namespace fovea {

struct Gru {
  static constexpr const char *kName = "gru";
  Value x;      // [B, T, 3 H] f32
  Value weight; // [3 H, H], a tensor of the file
  Value bias;   // [3 H] f32, a tensor of the file, or none
  Value state; // [B, 1, H] f32, a state: h, read before the first row and written after the last; none: zeros
  bool reverse = false;

  void fields(FieldVisitor &v) {
    v.operand("x", x);
    v.operand("weight", weight);
    v.optional_operand("bias", bias);
    v.optional_operand("state", state);
    v.field("reverse", reverse, false);
  }
  TensorType infer(const Types &t) const; // [B, T, H]
  void lower(Lowering &l) const;
  void reference(ReferenceCall &call) const;
};

} // namespace fovea
