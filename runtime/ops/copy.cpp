#include "ops/copy.h"

#include "ops/map.h"

namespace fovea {

TensorType Copy::infer(const Types &t) const {
  if (t.encoding(x) != Encoding::F16) t.require(x, "x", Encoding::F32);
  require_indexable(t.shape(x), "x");
  return {t.shape(x), Encoding::F32};
}

void lower_copy(Lowering &l, Value x) {
  const Shape &shape = l.shape(x);
  const Target &to = l.target();
  require_indexable(to.type.shape, "the destination");
  const uint64_t n_pairs = shape.rows() * div_up(shape.row(), 2);
  // Rows of a state are apart by its capacity; anything else is one run of rows.
  const bool batched = to.is_state && shape.rank() >= 2;
  const CopyParams params{uint32_t(n_pairs), uint32_t(shape.row()),
                          uint32_t(batched ? shape.dim(-2) : shape.rows()),
                          uint32_t(batched ? to.batch_rows : shape.rows()), to.at};
  const KernelChoice choice =
      map_kernel(l.caps(), n_pairs, KernelId::copy,
                 {l.type(x).encoding == Encoding::F16, to.type.encoding == Encoding::F16});
  l.dispatch(choice.kernel, choice.spec, push_words(params), choice.groups, {l.read(0, x), l.write(1)},
             shape.elements());
}

void Copy::lower(Lowering &l) const { lower_copy(l, x); }

void Copy::reference(ReferenceCall &call) const { call.out().f = call.in(x).f; }

} // namespace fovea
