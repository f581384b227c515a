#include "ops/take_batch.h"

#include "ops/map.h"

#include <algorithm>

namespace fovea {

TensorType TakeBatch::infer(const Types &t) const {
  if (t.encoding(x) != Encoding::F16) t.require(x, "x", Encoding::F32);
  const Shape &shape = t.shape(x);
  if (shape.rank() < 2) fail(ErrorCode::InvalidGraph, "x must have rank 2 or more, it is ", shape);
  t.require(order, "order", Encoding::I32);
  if (t.shape(order).rank() != 1)
    fail(ErrorCode::InvalidGraph, "order must have rank 1, it is ", t.shape(order));
  require_indexable(shape, "x");
  const Shape taken = shape.with(0, t.shape(order)[0]);
  require_indexable(taken, "the result");
  return {taken, Encoding::F32};
}

void TakeBatch::lower(Lowering &l) const {
  const Shape &from = l.shape(x), &to = l.target().type.shape;
  const uint64_t n = to.elements();
  const TakeBatchParams params{uint32_t(n), uint32_t(n / to[0]), uint32_t(from[0])};
  const KernelChoice choice =
      map_kernel(l.caps(), n, KernelId::take_batch, {l.type(x).encoding == Encoding::F16});
  l.dispatch(choice.kernel, choice.spec, push_words(params), choice.groups,
             {l.read(0, x), l.read(1, order), l.write(2)}, n);
}

void TakeBatch::reference(ReferenceCall &call) const {
  const HostTensor &in = call.in(x), &numbers = call.in(order);
  HostTensor &out = call.out();
  const size_t size = in.f.size() / in.type.shape[0];
  for (size_t b = 0; b < numbers.i.size(); ++b) {
    const auto from = size_t(std::clamp<int64_t>(numbers.i[b], 0, int64_t(in.type.shape[0]) - 1));
    std::copy_n(&in.f[from * size], size, &out.f[b * size]);
  }
}

} // namespace fovea
