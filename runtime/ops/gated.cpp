#include "ops/gated.h"

#include "ops/linear_lowering.h"
#include "ops/map.h"

namespace fovea {

TensorType Gated::infer(const Types &t) const {
  t.require(x, "x", Encoding::F32);
  const Shape &shape = t.shape(x);
  if (shape.rank() < 1 || shape.row() % 2 != 0)
    fail(ErrorCode::InvalidGraph, "x ", shape, " must have rows of even length: a gate and a value");
  require_indexable(shape, "x");
  return {shape.with(-1, shape.row() / 2), Encoding::F32};
}

void Gated::lower(Lowering &l) const {
  const Shape &shape = l.target().type.shape;
  const bool quads = shape.row() % 4 == 0;
  const uint64_t unit = quads ? 4 : 1, n = shape.elements() / unit;
  const KernelChoice choice =
      map_kernel(l.caps(), n, quads ? KernelId::gated_quads : KernelId::gated, {uint32_t(act)});
  l.dispatch(choice.kernel, choice.spec, push_words(GatedParams{uint32_t(n), uint32_t(shape.row() / unit)}),
             choice.groups, {l.read(0, x), l.write(1)}, 10 * shape.elements());
}

void Gated::reference(ReferenceCall &call) const {
  const HostTensor &in = call.in(x);
  HostTensor &out = call.out();
  const size_t width = out.type.shape.row();
  for (size_t i = 0; i < out.f.size(); ++i) {
    const float *row = &in.f[i / width * 2 * width];
    out.f[i] = float(activate(act, row[i % width]) * row[width + i % width]);
  }
}

} // namespace fovea
