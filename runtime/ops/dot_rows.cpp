#include "ops/dot_rows.h"

#include "ops/map.h"

namespace fovea {

TensorType DotRows::infer(const Types &t) const {
  t.require(a, "a", Encoding::F32);
  t.require(b, "b", Encoding::F32);
  const Shape &left = t.shape(a), &right = t.shape(b);
  if (left.rank() != 2 || right.rank() != 2 || left[1] != right[1])
    fail(ErrorCode::InvalidGraph, "a and b must be [N, D] and [M, D], they are ", left, " and ", right);
  if (scale) t.require(scale, "scale", Encoding::F32, {1});
  require_indexable(left, "a");
  require_indexable(right, "b");
  const Shape result{left[0], right[0]};
  require_indexable(result, "the result");
  return {result, Encoding::F32};
}

void DotRows::lower(Lowering &l) const {
  const Shape &to = l.target().type.shape;
  const uint64_t width = l.shape(a)[1], n = to.elements();
  const DotRowsParams params{uint32_t(n), uint32_t(to[1]), uint32_t(width)};
  const KernelChoice choice = map_kernel(l.caps(), n, KernelId::dot_rows, {bool(scale)});
  l.dispatch(choice.kernel, choice.spec, push_words(params), choice.groups,
             {l.read(0, a), l.read(1, b), l.read(2, scale ? scale : a), l.write(3)}, 2 * n * width);
}

void DotRows::reference(ReferenceCall &call) const {
  const HostTensor &left = call.in(a), &right = call.in(b);
  HostTensor &out = call.out();
  const size_t width = left.type.shape[1], n_columns = right.type.shape[0];
  for (size_t i = 0; i < out.f.size(); ++i) {
    double sum = 0;
    for (size_t d = 0; d < width; ++d)
      sum += double(left.f[i / n_columns * width + d]) * right.f[i % n_columns * width + d];
    out.f[i] = float(sum * (scale ? double(call.in(scale).f[0]) : 1));
  }
}

} // namespace fovea
