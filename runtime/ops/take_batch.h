// Picks batches by number: y[b] = x[order[b]]. Stored into the state it reads, `take_batch(k0, order) -> k0`,
// it reorders that state in place, as beam search does to the caches of the beams that survive.
#pragma once

#include "graph/op.h"

namespace fovea {

struct TakeBatch {
  static constexpr const char *kName = "take_batch";
  static constexpr bool kStores = true; // into x itself, at most 32 batches
  Value x;                              // [B, C, D] f32 or f16
  Value order;                          // [N] i32, clamped to 0 .. B - 1; the result is [N, C, D] f32
  StepName rows; // if given, N = B and only rows below it are picked: y[b, t] = x[t < rows ? order[b] : b, t]

  void fields(FieldVisitor &v) {
    v.operand("x", x);
    v.operand("order", order);
    v.field("rows", rows);
  }
  TensorType infer(const Types &t) const;
  void lower(Lowering &l) const;
  void reference(ReferenceCall &call) const;
  void work(OpWork &work) const {
    if (!rows) return;
    const double part = double(work.step(rows)) / double(work.shape(x)[1]);
    work.reads(x, part);
    work.computes(part);
  }

private:
  void lower_in_place(Lowering &l) const;
};

} // namespace fovea
