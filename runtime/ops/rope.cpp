#include "ops/rope.h"

#include "ops/map.h"

#include <algorithm>
#include <cmath>

namespace fovea {
namespace {

// Heads that one invocation turns by the angle it has computed: kHeads of shaders/rope.comp.
constexpr uint64_t kHeadsAtOnce = 4;

} // namespace

TensorType Rope::infer(const Types &t) const {
  t.require(x, "x", Encoding::F32);
  const Shape &shape = t.shape(x);
  if (shape.rank() < 2 || heads == 0 || shape.row() % heads != 0 || shape.row() / heads % 2 != 0)
    fail(ErrorCode::InvalidGraph, "x ", shape, " is not rows of ", heads, " heads of even length");
  require_indexable(shape, "x");
  t.require(frequencies, "frequencies", Encoding::F32);
  const Shape &table = t.shape(frequencies);
  if (table.rank() != 1 || table[0] > shape.row() / heads / 2)
    fail(ErrorCode::InvalidGraph, "frequencies ", table, " do not fit heads of ", shape.row() / heads);
  if (start) t.require(start, "start", Encoding::I32, {shape.rows() / shape.dim(-2)});
  if (!std::isfinite(scale)) fail(ErrorCode::InvalidGraph, "scale is ", scale);
  return {shape, Encoding::F32};
}

void Rope::lower(Lowering &l) const {
  const Shape &shape = l.shape(x);
  const Target &to = l.target();
  require_indexable(to.type.shape, "the destination");
  RopeParams p{};
  p.n_rows = uint32_t(shape.rows());
  p.batch_rows = uint32_t(shape.dim(-2));
  p.n_heads = heads;
  p.head_size = uint32_t(shape.row() / heads);
  p.n_frequencies = uint32_t(l.shape(frequencies)[0]);
  p.capacity = uint32_t(to.batch_rows);
  p.at = l.step(at);
  p.y_at = to.at;
  p.scale = scale;
  const uint64_t n = shape.rows() * div_up(heads, kHeadsAtOnce) * (p.head_size / 2);
  const KernelChoice choice =
      map_kernel(l.caps(), n, KernelId::rope,
                 {pairs == RopePairs::Neighbours, to.type.encoding == Encoding::F16, bool(start)});
  l.dispatch(choice.kernel, choice.spec, push_words(p), choice.groups,
             {l.read(0, x), l.read(1, frequencies), l.read(2, start ? start : frequencies), l.write(3)},
             10 * shape.elements());
}

void Rope::reference(ReferenceCall &call) const {
  const HostTensor &in = call.in(x), &table = call.in(frequencies);
  HostTensor &out = call.out();
  const size_t n_tokens = in.type.shape.dim(-2), size = in.type.shape.row() / heads;
  for (size_t row = 0; row < in.type.shape.rows(); ++row) {
    const int64_t begin = start ? call.in(start).i[row / n_tokens] : 0;
    const int64_t position = std::max<int64_t>(0, int64_t(call.step(at)) + int64_t(row % n_tokens) - begin);
    for (size_t h = 0; h < heads; ++h) {
      const size_t first = (row * heads + h) * size;
      turn_head({&in.f[first], size}, uint32_t(position), table.f, pairs, scale, &out.f[first]);
    }
  }
}

void turn_head(std::span<const float> from, uint32_t position, std::span<const float> frequencies,
               RopePairs pairs, float scale, float *to) {
  const size_t n = frequencies.size();
  std::copy(from.begin(), from.end(), to);
  for (size_t i = 0; i < n; ++i) {
    const size_t a = pairs == RopePairs::Half ? i : 2 * i, b = pairs == RopePairs::Half ? i + n : 2 * i + 1;
    const double angle =
        double(float(position) * frequencies[i]); // the product is f32, as models are trained
    const double c = std::cos(angle) * double(scale), s = std::sin(angle) * double(scale);
    to[a] = float(from[a] * c - from[b] * s);
    to[b] = float(from[b] * c + from[a] * s);
  }
}

} // namespace fovea
