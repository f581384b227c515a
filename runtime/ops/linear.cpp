#include "ops/linear.h"

#include "ops/linear_lowering.h"

namespace fovea {
namespace {

LinearCall call_of(const Linear &op, const Shape &x, const Shape &weight) {
  return {op.x,  op.weight, op.bias,   op.residual, op.act,      0,        x.row(),
          false, x.rows(),  weight[0], x.row(),     op.act_last, op.gated, {}};
}

} // namespace

TensorType Linear::infer(const Types &t) const {
  t.require(x, "x", Encoding::F32);
  const Shape &in = t.shape(x), &w = t.shape(weight);
  if (in.rank() < 1 || w.rank() != 2 || w[1] != in.row())
    fail(ErrorCode::InvalidGraph, "weight '", t.name(weight), "' ", w, " does not fit x ", in);
  if (gated && (residual || w[0] % 2 != 0))
    fail(ErrorCode::InvalidGraph, residual ? "gated with a residual" : "gated", ", weight '", t.name(weight),
         "' ", w, ": needs an even number of rows and no residual");
  const Shape result = in.with(-1, gated ? w[0] / 2 : w[0]);
  check_linear_operands(t, call_of(*this, in, w), result);
  return {result, Encoding::F32};
}

void Linear::lower(Lowering &l) const { lower_linear(l, call_of(*this, l.shape(x), l.shape(weight))); }

void Linear::reference(ReferenceCall &call) const {
  reference_linear(call, call_of(*this, call.in(x).type.shape, call.in(weight).type.shape));
}

} // namespace fovea
