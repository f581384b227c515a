// One row for a sequence of rows, by weights that sum to one or not: what additive attention pools with
// (Bahdanau et al., 2015).  y[b] = sum_t w[b, t] x[b, t]
#pragma once

#include "graph/op.h"

namespace fovea {

struct WeightedSum {
  static constexpr const char *kName = "weighted_sum";
  Value x;       // [B, T, D] f32
  Value weights; // [B, T], [B, T, 1] or [B, 1, T] f32

  void fields(FieldVisitor &v) {
    v.operand("x", x);
    v.operand("weights", weights);
  }
  TensorType infer(const Types &t) const; // [B, D]
  void lower(Lowering &l) const;
  void reference(ReferenceCall &call) const;
};

} // namespace fovea
