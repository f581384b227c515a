// The row of a sequence where a token stands: y[b] = x[b, t], t the first place of the token `id` in
// tokens[b] (0 when it is not there), or with `highest` the first place of the highest token: what a text's
// embedding is, where an end token gathers it (Radford et al., "Learning Transferable Visual Models From
// Natural Language Supervision", 2021).
#pragma once

#include "graph/op.h"

namespace fovea {

struct RowOfToken {
  static constexpr const char *kName = "row_of_token";
  Value x;      // [B, T, D] f32
  Value tokens; // [B, T] i32
  uint32_t id = 0;
  bool highest = false;

  void fields(FieldVisitor &v) {
    v.operand("x", x);
    v.operand("tokens", tokens);
    v.field("id", id, 0u);
    v.field("highest", highest, false);
  }
  TensorType infer(const Types &t) const; // [B, D]
  void lower(Lowering &l) const;
  void reference(ReferenceCall &call) const;
  void work(OpWork &work) const { work.reads(x, 1 / double(work.shape(x)[1])); }
};

} // namespace fovea
