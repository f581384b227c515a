#include "ops/pool_rows.h"

#include "ops/map.h"

#include <algorithm>
#include <cmath>

namespace fovea {
namespace {

uint64_t rows_of(const Shape &x) { return x.rows() / x[0]; } // T

} // namespace

TensorType PoolRows::infer(const Types &t) const {
  t.require(x, "x", Encoding::F32);
  const Shape &shape = t.shape(x);
  if (shape.rank() != 3 && shape.rank() != 4)
    fail(ErrorCode::InvalidGraph, "x must be [B, T, D] or [B, H, W, D], it is ", shape);
  require_indexable(shape, "x");
  if (mask) t.require(mask, "mask", Encoding::I32, Shape{shape[0], rows_of(shape)});
  return {Shape{shape[0], shape.row()}, Encoding::F32};
}

void PoolRows::lower(Lowering &l) const {
  const Shape &shape = l.shape(x);
  const uint64_t n = shape[0] * shape.row();
  const PoolRowsParams params{uint32_t(n), uint32_t(rows_of(shape)), uint32_t(shape.row())};
  const KernelChoice choice = map_kernel(l.caps(), n, KernelId::pool_rows, {uint32_t(f), bool(mask)});
  l.dispatch(choice.kernel, choice.spec, push_words(params), choice.groups,
             {l.read(0, x), l.read(1, mask ? mask : x), l.write(2)}, shape.elements());
}

void PoolRows::reference(ReferenceCall &call) const {
  const HostTensor &in = call.in(x);
  HostTensor &out = call.out();
  const size_t n_rows = rows_of(in.type.shape), width = in.type.shape.row();
  for (size_t i = 0; i < out.f.size(); ++i) {
    const size_t batch = i / width, d = i % width;
    double sum = 0, largest = 0, last = 0;
    size_t n_seen = 0;
    for (size_t t = 0; t < n_rows; ++t) {
      if (mask && call.in(mask).i[batch * n_rows + t] == 0) continue;
      last = in.f[(batch * n_rows + t) * width + d];
      largest = n_seen++ == 0 ? last : std::max(largest, last);
      sum += last;
    }
    const double n = double(std::max<size_t>(n_seen, 1));
    switch (f) {
    case PoolFunction::Mean: out.f[i] = float(sum / n); break;
    case PoolFunction::Max: out.f[i] = float(largest); break;
    case PoolFunction::First: out.f[i] = in.f[batch * n_rows * width + d]; break;
    case PoolFunction::Last: out.f[i] = float(last); break;
    case PoolFunction::SqrtMean: out.f[i] = float(sum / std::sqrt(n)); break;
    }
  }
}

} // namespace fovea
