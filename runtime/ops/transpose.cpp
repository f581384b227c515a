#include "ops/transpose.h"

#include "ops/map.h"

namespace fovea {
namespace {

constexpr uint64_t kTile = 32; // kTile of shaders/transpose.comp

} // namespace

TensorType Transpose::infer(const Types &t) const {
  t.require(x, "x", Encoding::F32);
  const Shape &shape = t.shape(x);
  if (shape.rank() < 2) fail(ErrorCode::InvalidGraph, "x must have rank 2 or more, it is ", shape);
  require_indexable(shape, "x");
  return {shape.with(-2, shape.dim(-1)).with(-1, shape.dim(-2)), Encoding::F32};
}

void lower_transpose(Lowering &l, Value x, uint64_t n_batches, uint64_t n_rows, uint64_t n_cols) {
  const uint64_t tiles_j = div_up(n_cols, kTile), tiles = div_up(n_rows, kTile) * tiles_j;
  const uint64_t n_tiles = n_batches * tiles;
  // A workgroup of 64 invocations takes a tile.
  const KernelChoice choice = select_map_kernel(l.caps(), n_tiles * 64, KernelId::transpose);
  const TransposeParams params{uint32_t(n_tiles), uint32_t(tiles_j), uint32_t(tiles), uint32_t(n_rows),
                               uint32_t(n_cols)};
  l.dispatch(choice.kernel, choice.spec, push_words(params), choice.groups, {l.read(0, x), l.write(1)},
             n_batches * n_rows * n_cols);
}

void Transpose::lower(Lowering &l) const {
  const Shape &shape = l.shape(x);
  const uint64_t n_rows = shape.dim(-2), n_cols = shape.dim(-1);
  lower_transpose(l, x, shape.elements() / (n_rows * n_cols), n_rows, n_cols);
}

void Transpose::reference(ReferenceCall &call) const {
  const HostTensor &in = call.in(x);
  HostTensor &out = call.out();
  const size_t n_rows = in.type.shape.dim(-2), n_cols = in.type.shape.dim(-1);
  for (size_t begin = 0; begin < in.f.size(); begin += n_rows * n_cols)
    for (size_t i = 0; i < n_rows; ++i)
      for (size_t j = 0; j < n_cols; ++j) out.f[begin + j * n_rows + i] = in.f[begin + i * n_cols + j];
}

} // namespace fovea
