#include "ops/rms_norm.h"

#include "ops/map.h"

#include <cmath>

namespace fovea {

TensorType RmsNorm::infer(const Types &t) const {
  t.require(x, "x", Encoding::F32);
  const Shape &shape = t.shape(x);
  if (shape.rank() < 2) fail(ErrorCode::InvalidGraph, "x must have rank 2 or more, it is ", shape);
  require_indexable(shape, "x");
  if (heads == 0 || shape.row() % heads != 0)
    fail(ErrorCode::InvalidGraph, "rows of ", shape.row(), " are not ", heads, " heads");
  if (!(eps >= 0 && eps < 1)) fail(ErrorCode::InvalidGraph, "eps is ", eps, ", expected 0 to 1");
  t.require(gamma, "gamma", Encoding::F32, {shape.row() / heads});
  if (residual) t.require(residual, "residual", Encoding::F32, shape);
  if (residual && rows == Rows::Last)
    fail(ErrorCode::InvalidGraph, "rows=last takes no residual: its other rows would be left out");
  return {rows == Rows::Last ? shape.with(-2, 1) : shape, Encoding::F32};
}

void RmsNorm::lower(Lowering &l) const {
  const Shape &from = l.shape(x), &to = l.target().type.shape;
  if (heads == 1 && !residual && l.defer({RowNorm::Kind::Rms, x, gamma, {}, eps, from.rows() / to.rows()}))
    return;
  const uint64_t n_groups = to.rows() * heads, length = from.row() / heads;
  const RmsNormParams params{uint32_t(n_groups), uint32_t(length), uint32_t(heads),
                             uint32_t(from.rows() / to.rows()), eps};
  KernelChoice choice =
      select_row_kernel(l.caps(), n_groups, length, KernelId::rms_norm, KernelId::rms_norm_subgroup);
  choice.spec.push_back(bool(residual));
  l.dispatch(choice, push_words(params),
             {l.read(0, x), l.read(1, gamma), l.read(2, residual ? residual : x), l.write(3)},
             5 * to.elements());
}

void RmsNorm::reference(ReferenceCall &call) const {
  const HostTensor &in = call.in(x), &g = call.in(gamma);
  HostTensor &out = call.out();
  const size_t width = in.type.shape.row(), length = width / heads,
               stride = in.type.shape.rows() / out.type.shape.rows();
  for (size_t n = 0; n < out.type.shape.rows(); ++n)
    for (size_t h = 0; h < heads; ++h) {
      const float *from = &in.f[(n * stride + stride - 1) * width + h * length];
      const size_t to = n * width + h * length;
      double squares = 0;
      for (size_t d = 0; d < length; ++d) squares += double(from[d]) * from[d];
      const double scale = 1 / std::sqrt(squares / double(length) + double(eps));
      for (size_t d = 0; d < length; ++d)
        out.f[to + d] =
            float(from[d] * scale * g.f[d] + (residual ? double(call.in(residual).f[to + d]) : 0.0));
    }
}

} // namespace fovea
