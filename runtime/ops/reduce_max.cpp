#include "ops/reduce_max.h"

#include "ops/map.h"

#include <algorithm>

namespace fovea {

TensorType ReduceMax::infer(const Types &t) const {
  t.require(x, "x", Encoding::F32);
  require_indexable(t.shape(x), "x");
  return {{1}, Encoding::F32};
}

// Blocks of x to a temporary, then that to the result; a short x at once.
void ReduceMax::lower(Lowering &l) const {
  const uint64_t n = l.shape(x).elements();
  const uint64_t block = std::max<uint64_t>(4096, div_up(n, 4096)), n_blocks = div_up(n, block);
  const auto pass = [&](uint64_t n_from, uint64_t length, BoundRef from, BoundRef to) {
    const uint64_t n_to = div_up(n_from, length);
    const KernelChoice choice =
        select_row_kernel(l.caps(), n_to, length, KernelId::reduce_max, KernelId::reduce_max_subgroup);
    const ReduceMaxParams params{uint32_t(n_to), uint32_t(length), uint32_t(n_from)};
    l.dispatch(choice, push_words(params), {from, to}, n_from);
  };
  if (n_blocks == 1) return pass(n, n, l.read(0, x), l.write(1));
  const BufferRef partial = l.temporary(n_blocks * sizeof(float));
  pass(n, block, l.read(0, x), {1, partial, Access::Write});
  pass(n_blocks, n_blocks, {0, partial, Access::Read}, l.write(1));
}

void ReduceMax::reference(ReferenceCall &call) const {
  const HostTensor &in = call.in(x);
  call.out().f[0] = *std::max_element(in.f.begin(), in.f.end());
}

} // namespace fovea
