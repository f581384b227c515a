#include "graph/store_q8.h"

#include "kernels/catalogue.h"

namespace fovea {

void store_q8(Lowering &l, const BufferRef &rows, const Shape &shape, const Target &state) {
  constexpr uint64_t kGroup = 32;
  const uint64_t n_groups = shape.elements() / kGroup;
  const QuantizeRowsParams params{uint32_t(n_groups),
                                  uint32_t(shape.row() / kGroup),
                                  uint32_t(shape.dim(-2)),
                                  uint32_t(state.batch_rows),
                                  state.at,
                                  uint32_t(state.type.shape.elements())};
  const KernelChoice choice = select_map_kernel(l.caps(), n_groups, KernelId::quantize_rows);
  l.dispatch(choice.kernel, choice.spec, push_words(params), choice.groups,
             {{0, rows, Access::Read}, {1, state.ref, Access::ReadWrite}}, 4 * shape.elements());
}

} // namespace fovea
