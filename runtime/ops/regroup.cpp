#include "ops/regroup.h"

#include "graph/lowering.h"
#include "ops/copy.h"

namespace fovea {

TensorType Regroup::infer(const Types &t) const {
  t.require(x, "x", Encoding::F32);
  const Shape &s = t.shape(x), &wanted = t.shape(like);
  if (s.rank() != 3) fail(ErrorCode::InvalidGraph, "x '", t.name(x), "' must be [B, T, D], it is ", s);
  if (wanted.rank() < 1 || wanted[0] == 0 || s[0] * s[1] % wanted[0] != 0)
    fail(ErrorCode::InvalidGraph, "the rows of x ", s, " cannot be the batches of '", t.name(like), "' ",
         wanted);
  return {{wanted[0], s[0] * s[1] / wanted[0], s[2]}, Encoding::F32};
}

void Regroup::lower(Lowering &l) const {
  if (!l.view(x)) lower_copy(l, x);
}

void Regroup::reference(ReferenceCall &call) const { call.out().f = call.in(x).f; }

} // namespace fovea
