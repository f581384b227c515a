#include "ops/l2_normalize.h"

#include "ops/map.h"

#include <algorithm>
#include <cmath>

namespace fovea {

TensorType L2Normalize::infer(const Types &t) const {
  t.require(x, "x", Encoding::F32);
  require_indexable(t.shape(x), "x");
  if (!(eps > 0)) fail(ErrorCode::InvalidGraph, "eps must be positive, it is ", eps);
  return t[x];
}

void L2Normalize::lower(Lowering &l) const {
  const Shape &shape = l.shape(x);
  const L2NormalizeParams params{uint32_t(shape.rows()), uint32_t(shape.row()), eps};
  const KernelChoice choice = select_row_kernel(l.caps(), shape.rows(), shape.row(), KernelId::l2_normalize,
                                                KernelId::l2_normalize_subgroup);
  l.dispatch(choice, push_words(params), {l.read(0, x), l.write(1)}, 3 * shape.elements());
}

void L2Normalize::reference(ReferenceCall &call) const {
  const HostTensor &in = call.in(x);
  HostTensor &out = call.out(); // has the type that infer() gave
  const size_t width = in.type.shape.row();
  for (size_t begin = 0; begin < in.f.size(); begin += width) {
    double squares = 0;
    for (size_t d = 0; d < width; ++d) squares += double(in.f[begin + d]) * in.f[begin + d];
    const double length = std::max(std::sqrt(squares), double(eps));
    for (size_t d = 0; d < width; ++d) out.f[begin + d] = float(in.f[begin + d] / length);
  }
}

} // namespace fovea
