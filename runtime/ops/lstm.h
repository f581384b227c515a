// Long short-term memory (Hochreiter and Schmidhuber, 1997), with PyTorch's order of gates i, f, g, o:
//   a = x[t] + W h[t-1] + bias,  c[t] = s(a_f) c[t-1] + s(a_i) tanh(a_g),  h[t] = s(a_o) tanh(c[t])
// x is W_ih input + b_ih (+ b_hh), by one linear over all rows. With reverse, t runs from T - 1 to 0.
#pragma once

#include "graph/op.h"

namespace fovea {

struct Lstm {
  static constexpr const char *kName = "lstm";
  Value x;      // [B, T, 4 H] f32
  Value weight; // [4 H, H], a tensor of the file
  Value bias;   // [4 H] f32, a tensor of the file, or none
  Value state; // [B, 2, H] f32, a state: h and c, read before the first row and written after the last; none:
               // zeros
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
