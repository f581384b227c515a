#include "ops/conv2d.h"

#include "ops/linear_lowering.h"

namespace fovea {
namespace {

constexpr uint64_t kMostK = 1 << 22; // x_step() of shaders/include/conv2d.glsl is exact below it

LinearCall call_of(const Conv2d &op, const Shape &x, const Shape &weight) {
  const WindowAxis h = op.window.rows(x[1]), w = op.window.columns(x[2]);
  LinearCall call{
      op.x,      op.weight, op.bias,     op.residual, op.act, 0, x[3], false, x[0] * h.count * w.count,
      weight[0], weight[1], op.act_last, {}};
  const bool single = h.kernel == 1 && w.kernel == 1 && h.stride == 1 && w.stride == 1 && h.count == h.size &&
                      w.count == w.size && h.before == 0 && w.before == 0;
  if (single && op.groups == 1 && weight[1] == x[3]) return call;

  MapWindows m;
  m.in_h = uint32_t(x[1]);
  m.in_w = uint32_t(x[2]);
  m.out_h = uint32_t(h.count);
  m.out_w = uint32_t(w.count);
  m.channels = uint32_t(x[3]);
  m.stride_h = uint32_t(h.stride);
  m.stride_w = uint32_t(w.stride);
  m.pad_top = uint32_t(h.before);
  m.pad_left = uint32_t(w.before);
  m.dilation_h = uint32_t(h.dilation);
  m.dilation_w = uint32_t(w.dilation);
  m.taps_h = uint32_t(h.kernel);
  m.taps_w = uint32_t(w.kernel);
  m.run = uint32_t(x[3] / op.groups);
  m.groups = op.groups;
  // A window's row is one stretch of memory where it lies within the map: patches of an image.
  if (w.all_inside() && (w.dilation == 1 || w.kernel == 1) && op.groups == 1) {
    m.run *= m.taps_w;
    m.taps_w = 1;
  }
  call.windows = m;
  return call;
}

} // namespace

TensorType Conv2d::infer(const Types &t) const {
  t.require(x, "x", Encoding::F32);
  const Shape &in = t.shape(x), &w = t.shape(weight);
  if (in.rank() != 4) fail(ErrorCode::InvalidGraph, "x must be [B, H, W, C], it is ", in);
  const WindowAxis rows = window.rows(in[1]), columns = window.columns(in[2]);
  if (groups == 0 || in[3] % groups != 0 || w.rank() != 2 || w[0] % groups != 0)
    fail(ErrorCode::InvalidGraph, "groups=", groups, " does not divide x ", in, " and weight '",
         t.name(weight), "' ", w);
  const uint64_t k = rows.kernel * columns.kernel * (in[3] / groups);
  if (w[1] < k || w[1] > kMostK)
    fail(ErrorCode::InvalidGraph, "weight '", t.name(weight), "' ", w, " does not fit x ", in,
         ", windows of ", rows.kernel, " x ", columns.kernel, " and groups=", groups, ": rows of ", k,
         " or a little more expected");
  if (w[1] >= k + 64)
    fail(ErrorCode::InvalidGraph, "weight '", t.name(weight), "' ", w, " has rows of ", w[1], ", ", k,
         " expected");
  const Shape result{in[0], rows.count, columns.count, w[0]};
  check_linear_operands(t, call_of(*this, in, w), result);
  return {result, Encoding::F32};
}

void Conv2d::lower(Lowering &l) const { lower_linear(l, call_of(*this, l.shape(x), l.shape(weight))); }

void Conv2d::reference(ReferenceCall &call) const {
  const HostTensor &in = call.in(x), &w = call.in(weight);
  HostTensor &out = call.out();
  const Shape &from = in.type.shape, &to = out.type.shape;
  const WindowAxis rows = window.rows(from[1]), columns = window.columns(from[2]);
  const uint64_t group_in = from[3] / groups, group_out = to[3] / groups;
  size_t at = 0;
  for (uint64_t b = 0; b < to[0]; ++b)
    for (uint64_t i = 0; i < to[1]; ++i)
      for (uint64_t j = 0; j < to[2]; ++j)
        for (uint64_t n = 0; n < to[3]; ++n, ++at) {
          double sum = bias ? double(call.in(bias).f[n]) : 0.0;
          for (uint64_t p = 0; p < rows.kernel; ++p)
            for (uint64_t q = 0; q < columns.kernel; ++q) {
              const int64_t y = rows.position(i, p), z = columns.position(j, q);
              if (!rows.inside(y) || !columns.inside(z)) continue;
              const float *pixel = &in.f[((b * from[1] + uint64_t(y)) * from[2] + uint64_t(z)) * from[3] +
                                         n / group_out * group_in];
              const float *tap = &w.f[n * w.type.shape[1] + (p * columns.kernel + q) * group_in];
              for (uint64_t c = 0; c < group_in; ++c) sum += double(pixel[c]) * double(tap[c]);
            }
          const double r = residual ? double(call.in(residual).f[at]) : 0.0;
          out.f[at] = float(act_last ? activate(act, sum + r) : activate(act, sum) + r);
        }
}

} // namespace fovea
