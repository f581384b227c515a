#include "ops/pool2d.h"

#include "ops/map.h"

#include <algorithm>
#include <limits>

namespace fovea {

TensorType Pool2d::infer(const Types &t) const {
  t.require(x, "x", Encoding::F32);
  const Shape &in = t.shape(x);
  if (in.rank() != 4) fail(ErrorCode::InvalidGraph, "x must be [B, H, W, C], it is ", in);
  const WindowAxis h = window.rows(in[1]), w = window.columns(in[2]);
  // Else a window could lie in the padding as a whole.
  for (const WindowAxis &axis : {h, w})
    if (axis.before >= (axis.kernel - 1) * axis.dilation + 1 ||
        axis.position(axis.count - 1, 0) >= int64_t(axis.size))
      fail(ErrorCode::InvalidGraph, "padding as large as the window");
  const Shape result{in[0], h.count, w.count, in[3]};
  require_indexable(in, "x");
  require_indexable(result, "the result");
  return {result, Encoding::F32};
}

void Pool2d::lower(Lowering &l) const {
  const Shape &in = l.shape(x), &out = l.target().type.shape;
  const WindowAxis h = window.rows(in[1]), w = window.columns(in[2]);
  const bool quads = in[3] % 4 == 0;
  const uint64_t n = out.elements() / (quads ? 4 : 1);
  Pool2dParams p{};
  p.n_elements = uint32_t(n);
  p.channels = uint32_t(in[3] / (quads ? 4 : 1));
  p.in_h = uint32_t(in[1]);
  p.in_w = uint32_t(in[2]);
  p.out_h = uint32_t(out[1]);
  p.out_w = uint32_t(out[2]);
  p.stride_h = uint32_t(h.stride);
  p.stride_w = uint32_t(w.stride);
  p.pad_top = uint32_t(h.before);
  p.pad_left = uint32_t(w.before);
  p.dilation_h = uint32_t(h.dilation);
  p.dilation_w = uint32_t(w.dilation);
  p.taps_h = uint32_t(h.kernel);
  p.taps_w = uint32_t(w.kernel);
  p.divisor = count_include_pad ? float(h.kernel * w.kernel) : 0.0f;
  const KernelChoice choice =
      map_kernel(l.caps(), n, quads ? KernelId::pool2d_quads : KernelId::pool2d, {uint32_t(f)});
  l.dispatch(choice.kernel, choice.spec, push_words(p), choice.groups, {l.read(0, x), l.write(1)},
             out.elements() * window.taps());
}

void Pool2d::reference(ReferenceCall &call) const {
  const HostTensor &in = call.in(x);
  HostTensor &out = call.out();
  const Shape &from = in.type.shape, &to = out.type.shape;
  const WindowAxis h = window.rows(from[1]), w = window.columns(from[2]);
  size_t at = 0;
  for (uint64_t b = 0; b < to[0]; ++b)
    for (uint64_t i = 0; i < to[1]; ++i)
      for (uint64_t j = 0; j < to[2]; ++j)
        for (uint64_t c = 0; c < to[3]; ++c, ++at) {
          double sum = 0, largest = std::numeric_limits<double>::lowest();
          uint64_t n_seen = 0;
          for (uint64_t p = 0; p < h.kernel; ++p)
            for (uint64_t q = 0; q < w.kernel; ++q) {
              const int64_t y = h.position(i, p), z = w.position(j, q);
              if (!h.inside(y) || !w.inside(z)) continue;
              const double v = in.f[((b * from[1] + uint64_t(y)) * from[2] + uint64_t(z)) * from[3] + c];
              sum += v;
              largest = std::max(largest, v);
              ++n_seen;
            }
          const uint64_t n = count_include_pad ? h.kernel * w.kernel : std::max<uint64_t>(n_seen, 1);
          out.f[at] = float(f == Pool2dFunction::Max ? largest : sum / double(n));
        }
}

} // namespace fovea
