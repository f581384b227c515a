#include "ops/flatten.h"

#include "graph/lowering.h"
#include "ops/copy.h"

namespace fovea {

TensorType Flatten::infer(const Types &t) const {
  t.require(x, "x", Encoding::F32);
  const Shape &s = t.shape(x);
  if (s.rank() != 4) fail(ErrorCode::InvalidGraph, "x '", t.name(x), "' must be [B, H, W, C], it is ", s);
  return {{s[0], s[1] * s[2], s[3]}, Encoding::F32};
}

void Flatten::lower(Lowering &l) const {
  if (!l.view(x)) lower_copy(l, x);
}

void Flatten::reference(ReferenceCall &call) const { call.out().f = call.in(x).f; }

} // namespace fovea
