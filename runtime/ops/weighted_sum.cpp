#include "ops/weighted_sum.h"

#include "ops/map.h"

namespace fovea {

TensorType WeightedSum::infer(const Types &t) const {
  t.require(x, "x", Encoding::F32);
  t.require(weights, "weights", Encoding::F32);
  const Shape &s = t.shape(x), &w = t.shape(weights);
  if (s.rank() != 3) fail(ErrorCode::InvalidGraph, "x must be [B, T, D], it is ", s);
  if (w != Shape{s[0], s[1]} && w != Shape{s[0], s[1], 1} && w != Shape{s[0], 1, s[1]})
    fail(ErrorCode::InvalidGraph, "weights must be ", Shape{s[0], s[1]}, ", they are ", w);
  require_indexable(s, "x");
  return {{s[0], s[2]}, Encoding::F32};
}

void WeightedSum::lower(Lowering &l) const {
  const Shape &s = l.shape(x);
  const uint64_t n = s[0] * s[2];
  const WeightedSumParams params{uint32_t(n), uint32_t(s[1]), uint32_t(s[2])};
  const KernelChoice choice = map_kernel(l.caps(), n, KernelId::weighted_sum);
  l.dispatch(choice.kernel, choice.spec, push_words(params), choice.groups,
             {l.read(0, x), l.read(1, weights), l.write(2)}, 2 * s.elements());
}

void WeightedSum::reference(ReferenceCall &call) const {
  const HostTensor &in = call.in(x), &w = call.in(weights);
  const Shape &s = in.type.shape;
  for (size_t b = 0; b < s[0]; ++b)
    for (size_t d = 0; d < s[2]; ++d) {
      double sum = 0;
      for (size_t t = 0; t < s[1]; ++t) sum += double(w.f[b * s[1] + t]) * in.f[(b * s[1] + t) * s[2] + d];
      call.out().f[b * s[2] + d] = float(sum);
    }
}

} // namespace fovea
