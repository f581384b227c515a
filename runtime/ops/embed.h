// Rows of a table by token id, plus rows of a table of positions (Vaswani et al., 2017):
//   y[t] = scale * table[tokens[t]] + positions[at + t]
// Ids, and positions moved by `at`, outside the tables are clamped to them. A table larger than the device
// can bind runs in chunks of rows.
#pragma once

#include "graph/op.h"

namespace fovea {

struct Embed {
  static constexpr const char *kName = "embed";
  Value tokens;    // [.., T] i32
  Value table;     // tensor [V, D], any encoding but i32
  Value positions; // tensor [C, D] f32, or none
  StepName at;     // position of the first token of each batch; none: 0
  float scale = 1;

  void fields(FieldVisitor &v) {
    v.operand("tokens", tokens);
    v.operand("table", table);
    v.optional_operand("positions", positions);
    v.field("at", at);
    v.field("scale", scale, 1.f);
  }
  TensorType infer(const Types &t) const;
  void lower(Lowering &l) const;
  void reference(ReferenceCall &call) const;
  void work(OpWork &work) const {
    const double n_tokens = double(work.shape(tokens).elements());
    work.reads(table, n_tokens / double(work.shape(table)[0]));
    if (positions) work.reads(positions, n_tokens / double(work.shape(positions)[0]));
  }
};

} // namespace fovea
