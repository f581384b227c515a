#include "ops/concat.h"

#include "ops/map.h"

#include <algorithm>

namespace fovea {
namespace {

/// Elements of a tensor that stay together along the axis.
uint64_t block_of(const Shape &s, Axis axis) {
  return axis == Axis::Rows ? s.dim(-2) * s.dim(-1) : s.dim(-1);
}

template <class ShapeOf>
std::vector<std::pair<Value, Shape>> parts_of(const Concat &op, const ShapeOf &shape) {
  std::vector<std::pair<Value, Shape>> parts = {{op.a, shape(op.a)}, {op.b, shape(op.b)}};
  if (op.c) parts.emplace_back(op.c, shape(op.c));
  return parts;
}

} // namespace

TensorType Concat::infer(const Types &t) const {
  const auto parts = parts_of(*this, [&](Value v) { return t.shape(v); });
  const int from_end = axis == Axis::Rows ? 2 : 1;
  // The largest says what the result is but for the axis.
  Shape result = parts[0].second;
  for (const auto &[value, shape] : parts) {
    t.require(value, "an operand", Encoding::F32);
    require_indexable(shape, "an operand");
    if (shape.rank() < from_end)
      fail(ErrorCode::InvalidGraph, "'", t.name(value), "' ", shape, " has no ", kAxisNames[size_t(axis)]);
    if (shape.rank() > result.rank() ||
        (shape.rank() == result.rank() &&
         shape.elements() / block_of(shape, axis) > result.elements() / block_of(result, axis)))
      result = shape;
  }
  uint64_t along = 0;
  for (const auto &[value, shape] : parts) {
    bool fits = true, repeated = shape.rank() < result.rank();
    for (int i = 1; i <= shape.rank(); ++i) {
      if (i == from_end) continue;
      const bool inner = i < from_end;
      repeated |= !inner && shape.dim(-i) != result.dim(-i);
      fits &= shape.dim(-i) == result.dim(-i) || (!inner && shape.dim(-i) == 1);
    }
    // Repeated means one block for all.
    fits &= !repeated || shape.elements() == block_of(shape, axis);
    if (!fits)
      fail(ErrorCode::InvalidGraph, "'", t.name(value), "' ", shape, " does not fit ", result, " along ",
           kAxisNames[size_t(axis)]);
    along += shape.dim(-from_end);
  }
  result = result.with(-from_end, along);
  require_indexable(result, "the result");
  return {result, Encoding::F32};
}

void Concat::lower(Lowering &l) const {
  const auto parts = parts_of(*this, [&](Value v) { return l.shape(v); });
  const Shape &out = l.target().type.shape;
  bool quads = true;
  for (const auto &[value, shape] : parts) quads &= block_of(shape, axis) % 4 == 0;
  const uint64_t unit = quads ? 4 : 1, block = block_of(out, axis);
  const auto stride = [&](const Shape &s) {
    return uint32_t(s.elements() == block_of(s, axis) ? 0 : block_of(s, axis) / unit);
  };
  ConcatParams p{};
  p.n_elements = uint32_t(out.elements() / unit);
  p.block = uint32_t(block / unit);
  p.block_a = uint32_t(block_of(parts[0].second, axis) / unit);
  p.block_b = uint32_t(block_of(parts[1].second, axis) / unit);
  p.stride_a = stride(parts[0].second);
  p.stride_b = stride(parts[1].second);
  p.stride_c = c ? stride(parts[2].second) : 0;
  const KernelChoice choice =
      map_kernel(l.caps(), p.n_elements, quads ? KernelId::concat_quads : KernelId::concat);
  l.dispatch(choice.kernel, choice.spec, push_words(p), choice.groups,
             {l.read(0, a), l.read(1, b), l.read(2, c ? c : a), l.write(3)}, out.elements());
}

void Concat::reference(ReferenceCall &call) const {
  HostTensor &out = call.out();
  const uint64_t block = block_of(out.type.shape, axis);
  uint64_t at = 0;
  for (const Value value : {a, b, c}) {
    if (!value) continue;
    const HostTensor &in = call.in(value);
    const uint64_t n = block_of(in.type.shape, axis), step = in.f.size() == n ? 0 : n;
    for (uint64_t o = 0; o < out.f.size() / block; ++o)
      std::copy_n(in.f.begin() + int64_t(o * step), n, out.f.begin() + int64_t(o * block + at));
    at += n;
  }
}

} // namespace fovea
