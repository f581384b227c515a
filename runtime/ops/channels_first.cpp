#include "ops/channels_first.h"

#include "ops/map.h"
#include "ops/transpose.h"

namespace fovea {

TensorType ChannelsFirst::infer(const Types &t) const {
  t.require(x, "x", Encoding::F32);
  const Shape &in = t.shape(x);
  if (in.rank() != 4) fail(ErrorCode::InvalidGraph, "x must be [B, H, W, C], it is ", in);
  require_indexable(in, "x");
  return {{in[0], in[3], in[1], in[2]}, Encoding::F32};
}

void ChannelsFirst::lower(Lowering &l) const {
  const Shape &in = l.shape(x);
  lower_transpose(l, x, in[0], in[1] * in[2], in[3]);
}

void ChannelsFirst::reference(ReferenceCall &call) const {
  const HostTensor &in = call.in(x);
  HostTensor &out = call.out();
  const Shape &from = in.type.shape;
  const uint64_t positions = from[1] * from[2];
  for (uint64_t b = 0; b < from[0]; ++b)
    for (uint64_t i = 0; i < positions; ++i)
      for (uint64_t c = 0; c < from[3]; ++c)
        out.f[(b * from[3] + c) * positions + i] = in.f[(b * positions + i) * from[3] + c];
}

} // namespace fovea
