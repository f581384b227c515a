// Exchanges the two innermost dimensions: y[.., j, i] = x[.., i, j].
#pragma once

#include "graph/lowering.h"

namespace fovea {

struct Transpose {
  static constexpr const char *kName = "transpose";
  Value x; // [A, B] f32, or [.., A, B]; the result is [.., B, A]

  void fields(FieldVisitor &v) { v.operand("x", x); }
  TensorType infer(const Types &t) const;
  void lower(Lowering &l) const;
  void reference(ReferenceCall &call) const;
};

/// Into the target: `n_batches` matrices of x, [n_rows, n_cols] each, turned.
void lower_transpose(Lowering &l, Value x, uint64_t n_batches, uint64_t n_rows, uint64_t n_cols);

} // namespace fovea
