#include "ops/conv1d.h"

#include "ops/linear_lowering.h"

namespace fovea {
namespace {

// T' of the definition; 0 when the input is shorter than the kernel.
uint64_t output_rows(const Conv1d &op, uint64_t rows) {
  const uint64_t padded = rows + 2ull * op.padding;
  return padded < op.kernel ? 0 : (padded - op.kernel) / op.stride + 1;
}

LinearCall call_of(const Conv1d &op, const Shape &x, const Shape &weight) {
  const uint64_t channels = x.rank() == 1 ? 1 : x[1];
  return {op.x,
          op.weight,
          op.bias,
          op.residual,
          op.act,
          -int64_t(op.padding * channels),
          op.stride * channels,
          op.padding > 0,
          output_rows(op, x[0]),
          weight[0],
          op.kernel * channels};
}

} // namespace

TensorType Conv1d::infer(const Types &t) const {
  t.require(x, "x", Encoding::F32);
  const Shape &in = t.shape(x), &w = t.shape(weight);
  if (in.rank() != 1 && in.rank() != 2) fail(ErrorCode::InvalidGraph, "x must be [T, C] or [T], it is ", in);
  if (stride == 0 || kernel == 0 || padding >= kernel)
    fail(ErrorCode::InvalidGraph, "impossible kernel=", kernel, " stride=", stride, " padding=", padding);
  if (w.rank() != 2 || w[1] != kernel * (in.rank() == 1 ? 1 : in[1]))
    fail(ErrorCode::InvalidGraph, "weight '", t.name(weight), "' ", w, " does not fit x ", in,
         " and kernel=", kernel);
  const Shape result{output_rows(*this, in[0]), w[0]};
  check_linear_operands(t, call_of(*this, in, w), result);
  return {result, Encoding::F32};
}

void Conv1d::lower(Lowering &l) const { lower_linear(l, call_of(*this, l.shape(x), l.shape(weight))); }

void Conv1d::reference(ReferenceCall &call) const {
  reference_linear(call, call_of(*this, call.in(x).type.shape, call.in(weight).type.shape));
}

} // namespace fovea
