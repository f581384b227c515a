// The k largest elements of each row, largest first, the lower index first among equals: pairs (value, index
// as a float, exact since rows have at most 2^24 elements). Elements must be finite.
//
// One pass over the row finds the best of every block. A second, much shorter one takes the best of the
// blocks k times, and looks through the block that lost it for its next best: any k costs about one reading
// of the row.
#pragma once

#include "graph/op.h"

namespace fovea {

struct TopK {
  static constexpr const char *kName = "top_k";
  Value x;        // [.., V] f32; the result is [.., k, 2]
  uint32_t k = 0; // 1 .. 64

  void fields(FieldVisitor &v) {
    v.operand("x", x);
    v.field("k", k, std::nullopt);
  }
  TensorType infer(const Types &t) const;
  void lower(Lowering &l) const;
  void reference(ReferenceCall &call) const;
  void work(OpWork &work) const;
};

} // namespace fovea
