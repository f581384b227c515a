#include "ops/row_of_token.h"

#include "ops/map.h"

namespace fovea {

TensorType RowOfToken::infer(const Types &t) const {
  t.require(x, "x", Encoding::F32);
  const Shape &shape = t.shape(x);
  if (shape.rank() != 3) fail(ErrorCode::InvalidGraph, "x must be [B, T, D], it is ", shape);
  require_indexable(shape, "x");
  t.require(tokens, "tokens", Encoding::I32, Shape{shape[0], shape[1]});
  return {Shape{shape[0], shape[2]}, Encoding::F32};
}

void RowOfToken::lower(Lowering &l) const {
  const Shape &shape = l.shape(x);
  const uint64_t n = shape[0] * shape[2];
  const RowOfTokenParams params{uint32_t(n), uint32_t(shape[1]), uint32_t(shape[2]), int32_t(id)};
  const KernelChoice choice = map_kernel(l.caps(), n, KernelId::row_of_token, {highest});
  l.dispatch(choice.kernel, choice.spec, push_words(params), choice.groups,
             {l.read(0, x), l.read(1, tokens), l.write(2)}, n * shape[1]);
}

void RowOfToken::reference(ReferenceCall &call) const {
  const HostTensor &in = call.in(x), &ids = call.in(tokens);
  HostTensor &out = call.out();
  const size_t n_rows = in.type.shape[1], width = in.type.shape[2];
  for (size_t b = 0; b < in.type.shape[0]; ++b) {
    size_t at = 0;
    for (size_t t = n_rows; t-- > 0;)
      if (highest ? ids.i[b * n_rows + t] >= ids.i[b * n_rows + at] : ids.i[b * n_rows + t] == int32_t(id))
        at = t;
    for (size_t d = 0; d < width; ++d) out.f[b * width + d] = in.f[(b * n_rows + at) * width + d];
  }
}

} // namespace fovea
