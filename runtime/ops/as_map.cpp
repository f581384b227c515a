#include "ops/as_map.h"

#include "graph/lowering.h"
#include "ops/copy.h"

namespace fovea {

TensorType AsMap::infer(const Types &t) const {
  t.require(x, "x", Encoding::F32);
  const Shape &s = t.shape(x);
  if (s.rank() == 2) return {{s[0], 1, s[1], 1}, Encoding::F32};
  if (s.rank() == 3) return {{s[0], 1, s[1], s[2]}, Encoding::F32};
  fail(ErrorCode::InvalidGraph, "x '", t.name(x), "' must be [B, T, C] or [B, N], it is ", s);
}

void AsMap::lower(Lowering &l) const {
  if (!l.view(x)) lower_copy(l, x);
}

void AsMap::reference(ReferenceCall &call) const { call.out().f = call.in(x).f; }

} // namespace fovea
