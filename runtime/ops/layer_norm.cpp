#include "ops/layer_norm.h"

#include "ops/map.h"

#include <cmath>

namespace fovea {

TensorType LayerNorm::infer(const Types &t) const {
  t.require(x, "x", Encoding::F32);
  const Shape &shape = t.shape(x);
  if (shape.rank() < 2) fail(ErrorCode::InvalidGraph, "x must have rank 2 or more, it is ", shape);
  require_indexable(shape, "x");
  t.require(gamma, "gamma", Encoding::F32, {shape.row()});
  t.require(beta, "beta", Encoding::F32, {shape.row()});
  return {rows == Rows::Last ? shape.with(-2, 1) : shape, Encoding::F32};
}

void LayerNorm::lower(Lowering &l) const {
  const Shape &from = l.shape(x), &to = l.target().type.shape;
  if (l.defer({RowNorm::Kind::Layer, x, gamma, beta, eps, from.rows() / to.rows()})) return;
  const uint32_t n_rows = uint32_t(to.rows()), row_stride = uint32_t(from.rows() / to.rows());
  const LayerNormParams params{n_rows, uint32_t(from.row()), row_stride, eps};
  const KernelChoice choice =
      select_row_kernel(l.caps(), n_rows, from.row(), KernelId::layer_norm, KernelId::layer_norm_subgroup);
  l.dispatch(choice, push_words(params), {l.read(0, x), l.read(1, gamma), l.read(2, beta), l.write(3)},
             8 * to.elements());
}

void LayerNorm::reference(ReferenceCall &call) const {
  const HostTensor &in = call.in(x), &g = call.in(gamma), &b = call.in(beta);
  HostTensor &out = call.out();
  const size_t width = in.type.shape.row(), stride = in.type.shape.rows() / out.type.shape.rows();
  for (size_t n = 0; n < out.type.shape.rows(); ++n) {
    const float *row = &in.f[(n * stride + stride - 1) * width];
    double mean = 0, variance = 0;
    for (size_t d = 0; d < width; ++d) mean += row[d];
    mean /= double(width);
    for (size_t d = 0; d < width; ++d) variance += (row[d] - mean) * (row[d] - mean);
    variance /= double(width);
    for (size_t d = 0; d < width; ++d)
      out.f[n * width + d] = float((row[d] - mean) / std::sqrt(variance + double(eps)) * g.f[d] + b.f[d]);
  }
}

} // namespace fovea
