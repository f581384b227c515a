#include "ops/depthwise_conv2d.h"

#include "ops/linear_lowering.h"
#include "ops/map.h"

namespace fovea {
namespace {

// Windows up to this wide, taps and what lies between, are unrolled; the rest goes tap by tap.
constexpr uint64_t kUnrolledTaps = 16;
constexpr uint64_t kUnrolledColumns = 48;

/// How many neighbours an invocation makes; 0: one, without unrolling.
uint64_t pixels_at_once(const WindowAxis &w) {
  if (w.kernel > kUnrolledTaps) return 0;
  const uint64_t pixels = 4, columns = (pixels - 1) * w.stride + (w.kernel - 1) * w.dilation + 1;
  if (columns <= kUnrolledColumns) return pixels;
  return (w.kernel - 1) * w.dilation < kUnrolledColumns ? 1 : 0;
}

} // namespace

TensorType DepthwiseConv2d::infer(const Types &t) const {
  t.require(x, "x", Encoding::F32);
  const Shape &in = t.shape(x), &w = t.shape(weight);
  if (in.rank() != 4) fail(ErrorCode::InvalidGraph, "x must be [B, H, W, C], it is ", in);
  const WindowAxis rows = window.rows(in[1]), columns = window.columns(in[2]);
  if (w != Shape{window.taps(), in[3]} ||
      (t.encoding(weight) != Encoding::F32 && t.encoding(weight) != Encoding::F16))
    fail(ErrorCode::InvalidGraph, "weight '", t.name(weight), "' must be f32 or f16 ",
         Shape{window.taps(), in[3]}, ", it is ", t[weight]);
  if (bias) t.require(bias, "bias", Encoding::F32, {in[3]});
  const Shape result{in[0], rows.count, columns.count, in[3]};
  require_indexable(in, "x");
  require_indexable(result, "the result");
  return {result, Encoding::F32};
}

void DepthwiseConv2d::lower(Lowering &l) const {
  const Shape &in = l.shape(x), &out = l.target().type.shape;
  const WindowAxis h = window.rows(in[1]), w = window.columns(in[2]);
  const bool quads = in[3] % 4 == 0;
  const uint64_t unrolled = pixels_at_once(w), pixels = std::max<uint64_t>(unrolled, 1);
  DepthwiseConv2dParams p{};
  p.channels = uint32_t(in[3] / (quads ? 4 : 1));
  const uint64_t n = out[0] * out[1] * div_up(out[2], pixels) * p.channels;
  p.n_items = uint32_t(n);
  p.in_h = uint32_t(in[1]);
  p.in_w = uint32_t(in[2]);
  p.out_h = uint32_t(out[1]);
  p.out_w = uint32_t(out[2]);
  p.stride_h = uint32_t(h.stride);
  p.pad_top = uint32_t(h.before);
  p.pad_left = uint32_t(w.before);
  p.dilation_h = uint32_t(h.dilation);
  p.taps_h = uint32_t(h.kernel);
  p.taps_w = uint32_t(w.kernel);
  KernelChoice choice =
      select_map_kernel(l.caps(), n, quads ? KernelId::depthwise_conv2d_quads : KernelId::depthwise_conv2d);
  const bool half = l.type(weight).encoding == Encoding::F16;
  for (const uint64_t value : {uint64_t(act), uint64_t(bool(bias)), uint64_t(half), pixels,
                               unrolled ? w.kernel : 0, w.stride, w.dilation})
    choice.spec.push_back(uint32_t(value));
  l.dispatch(choice.kernel, choice.spec, push_words(p), choice.groups,
             {l.read(0, x), l.read(1, weight), l.read(2, bias ? bias : weight), l.write(3)},
             2 * out.elements() * window.taps());
}

void DepthwiseConv2d::reference(ReferenceCall &call) const {
  const HostTensor &in = call.in(x), &w = call.in(weight);
  HostTensor &out = call.out();
  const Shape &from = in.type.shape, &to = out.type.shape;
  const WindowAxis rows = window.rows(from[1]), columns = window.columns(from[2]);
  size_t at = 0;
  for (uint64_t b = 0; b < to[0]; ++b)
    for (uint64_t i = 0; i < to[1]; ++i)
      for (uint64_t j = 0; j < to[2]; ++j)
        for (uint64_t c = 0; c < to[3]; ++c, ++at) {
          double sum = bias ? double(call.in(bias).f[c]) : 0.0;
          for (uint64_t p = 0; p < rows.kernel; ++p)
            for (uint64_t q = 0; q < columns.kernel; ++q) {
              const int64_t y = rows.position(i, p), z = columns.position(j, q);
              if (!rows.inside(y) || !columns.inside(z)) continue;
              sum += double(w.f[(p * columns.kernel + q) * to[3] + c]) *
                     double(in.f[((b * from[1] + uint64_t(y)) * from[2] + uint64_t(z)) * from[3] + c]);
            }
          out.f[at] = float(activate(act, sum));
        }
}

} // namespace fovea
