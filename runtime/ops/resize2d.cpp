#include "ops/resize2d.h"

#include "ops/linear_lowering.h"
#include "ops/map.h"

#include <algorithm>
#include <cmath>

namespace fovea {
namespace {

// In f32, as the kernel has it: what is rounded down must be rounded alike.
float step_of(uint64_t in, uint64_t out, bool align_corners) {
  if (!align_corners) return float(in) / float(out);
  return out > 1 ? float(in - 1) / float(out - 1) : 0.0f;
}

double source(uint64_t i, float step, ResizeMode mode, bool align_corners) {
  if (mode == ResizeMode::Nearest) return double(float(i) * step);
  const double at = align_corners ? double(i) * step : (double(i) + 0.5) * step - 0.5;
  return mode == ResizeMode::Bilinear ? std::max(at, 0.0) : at;
}

struct Taps {
  int64_t first = 0;
  std::vector<double> weights;
};

Taps taps_of(double at, ResizeMode mode) {
  const double whole = std::floor(at), t = at - whole;
  const auto first = int64_t(whole);
  if (mode == ResizeMode::Nearest) return {first, {1}};
  if (mode == ResizeMode::Bilinear) return {first, {1 - t, t}};
  const auto near = [](double d) { return (1.25 * d - 2.25) * d * d + 1; };
  const auto far = [](double d) { return -0.75 * (((d - 5) * d + 8) * d - 4); };
  return {first - 1, {far(t + 1), near(t), near(1 - t), far(2 - t)}};
}

} // namespace

TensorType Resize2d::infer(const Types &t) const {
  t.require(x, "x", Encoding::F32);
  const Shape &in = t.shape(x);
  if (in.rank() != 4) fail(ErrorCode::InvalidGraph, "x must be [B, H, W, C], it is ", in);
  const bool sized = height > 0 && width > 0;
  if (int(bool(like)) + int(sized) + int(factor > 0) != 1 || (height > 0) != (width > 0))
    fail(ErrorCode::InvalidGraph, "the size must come from `like`, from height and width, or from a factor");
  if (like && t.shape(like).rank() != 4)
    fail(ErrorCode::InvalidGraph, "like must be a map, it is ", t.shape(like));
  if (mode == ResizeMode::Nearest && align_corners)
    fail(ErrorCode::InvalidGraph, "align_corners means nothing to mode=nearest");
  const uint64_t h = like ? t.shape(like)[1] : sized ? height : in[1] * factor;
  const uint64_t w = like ? t.shape(like)[2] : sized ? width : in[2] * factor;
  const Shape result{in[0], h, w, in[3]};
  require_indexable(in, "x");
  require_indexable(result, "the result");
  if (residual) t.require(residual, "residual", Encoding::F32, result);
  return {result, Encoding::F32};
}

void Resize2d::lower(Lowering &l) const {
  const Shape &in = l.shape(x), &out = l.target().type.shape;
  const bool quads = in[3] % 4 == 0;
  const uint64_t unit = quads ? 4 : 1;
  Resize2dParams p{};
  p.n_elements = uint32_t(out.elements() / unit);
  p.channels = uint32_t(in[3] / unit);
  p.in_h = uint32_t(in[1]);
  p.in_w = uint32_t(in[2]);
  p.out_h = uint32_t(out[1]);
  p.out_w = uint32_t(out[2]);
  p.step_h = step_of(in[1], out[1], align_corners);
  p.step_w = step_of(in[2], out[2], align_corners);
  const KernelChoice choice =
      map_kernel(l.caps(), p.n_elements, quads ? KernelId::resize2d_quads : KernelId::resize2d,
                 {uint32_t(mode), align_corners, uint32_t(act), bool(residual)});
  l.dispatch(choice.kernel, choice.spec, push_words(p), choice.groups,
             {l.read(0, x), l.read(1, residual ? residual : x), l.write(2)},
             out.elements() * (mode == ResizeMode::Bicubic ? 40 : 8));
}

void Resize2d::reference(ReferenceCall &call) const {
  const HostTensor &in = call.in(x);
  HostTensor &out = call.out();
  const Shape &from = in.type.shape, &to = out.type.shape;
  const float step_h = step_of(from[1], to[1], align_corners),
              step_w = step_of(from[2], to[2], align_corners);
  const auto inside = [](int64_t i, uint64_t size) {
    return uint64_t(std::clamp<int64_t>(i, 0, int64_t(size) - 1));
  };
  size_t at = 0;
  for (uint64_t b = 0; b < to[0]; ++b)
    for (uint64_t i = 0; i < to[1]; ++i)
      for (uint64_t j = 0; j < to[2]; ++j) {
        const Taps rows = taps_of(source(i, step_h, mode, align_corners), mode);
        const Taps columns = taps_of(source(j, step_w, mode, align_corners), mode);
        for (uint64_t c = 0; c < to[3]; ++c, ++at) {
          double sum = residual ? double(call.in(residual).f[at]) : 0.0;
          for (size_t p = 0; p < rows.weights.size(); ++p)
            for (size_t q = 0; q < columns.weights.size(); ++q) {
              const uint64_t y = inside(rows.first + int64_t(p), from[1]),
                             z = inside(columns.first + int64_t(q), from[2]);
              sum += rows.weights[p] * columns.weights[q] *
                     double(in.f[((b * from[1] + y) * from[2] + z) * from[3] + c]);
            }
          out.f[at] = float(activate(act, sum));
        }
      }
}

} // namespace fovea
