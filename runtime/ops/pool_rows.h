// One row for a sequence of rows: what a text's embedding is made of (Reimers and Gurevych, 2019).
//   y[b] = f over the rows t of x[b] that mask shows;  first: x[b, 0] whatever the mask says
// A batch whose rows are all hidden gives zeros (first excepted).
#pragma once

#include "graph/op.h"

namespace fovea {

/// As numbered in shaders/pool_rows.comp. SqrtMean: the sum over the square root of the number of rows.
enum class PoolFunction : uint32_t { Mean, Max, First, Last, SqrtMean };
inline constexpr const char *kPoolFunctionNames[] = {"mean", "max", "first", "last", "sqrt_mean"};

struct PoolRows {
  static constexpr const char *kName = "pool_rows";
  Value x;    // [B, T, D] f32, or a map [B, H, W, D]: its T = H W positions
  Value mask; // [B, T] i32: 0 hides a row; none: all are seen
  PoolFunction f = PoolFunction::Mean;

  void fields(FieldVisitor &v) {
    v.operand("x", x);
    v.optional_operand("mask", mask);
    v.field("f", f, kPoolFunctionNames);
  }
  TensorType infer(const Types &t) const; // [B, D]
  void lower(Lowering &l) const;
  void reference(ReferenceCall &call) const;
};

} // namespace fovea
