#include "ops/slice.h"

#include "ops/map.h"

#include <algorithm>

namespace fovea {
namespace {

struct Range {
  uint64_t begin = 0, count = 0;
};

Range range_of(const Slice &op, const Shape &x) {
  const uint64_t size = op.axis == Axis::Rows ? x.dim(-2) : x.dim(-1);
  if (op.last > 0) return {size - op.last, op.last};
  return {op.begin, op.count ? op.count : size - op.begin};
}

} // namespace

TensorType Slice::infer(const Types &t) const {
  t.require(x, "x", Encoding::F32);
  const Shape &in = t.shape(x);
  const int from_end = axis == Axis::Rows ? 2 : 1;
  if (in.rank() < from_end) fail(ErrorCode::InvalidGraph, "x ", in, " has no ", kAxisNames[size_t(axis)]);
  require_indexable(in, "x");
  const uint64_t size = in.dim(-from_end);
  if (last > 0 && (begin > 0 || count > 0)) fail(ErrorCode::InvalidGraph, "last= excludes begin= and count=");
  if (last > size || begin >= size || count > size - begin)
    fail(ErrorCode::InvalidGraph, "begin=", begin, " count=", count, " last=", last, " of ", size, " ",
         kAxisNames[size_t(axis)]);
  return {in.with(-from_end, range_of(*this, in).count), Encoding::F32};
}

void Slice::lower(Lowering &l) const {
  const Shape &in = l.shape(x), &out = l.target().type.shape;
  const Range range = range_of(*this, in);
  const uint64_t inner = axis == Axis::Rows ? in.dim(-1) : 1;
  const uint64_t block = range.count * inner, offset = range.begin * inner;
  const uint64_t stride = inner * (axis == Axis::Rows ? in.dim(-2) : in.dim(-1));
  const bool quads = block % 4 == 0 && offset % 4 == 0 && stride % 4 == 0;
  const uint64_t unit = quads ? 4 : 1;
  ConcatParams p{};
  p.n_elements = uint32_t(out.elements() / unit);
  p.block = p.block_a = uint32_t(block / unit);
  p.offset = uint32_t(offset / unit);
  p.stride_a = uint32_t(stride / unit);
  const KernelChoice choice =
      map_kernel(l.caps(), p.n_elements, quads ? KernelId::concat_quads : KernelId::concat);
  l.dispatch(choice.kernel, choice.spec, push_words(p), choice.groups,
             {l.read(0, x), l.read(1, x), l.read(2, x), l.write(3)}, out.elements());
}

void Slice::work(OpWork &work) const {
  const Shape &in = work.shape(x);
  work.reads(x, double(range_of(*this, in).count) / double(axis == Axis::Rows ? in.dim(-2) : in.dim(-1)));
}

void Slice::reference(ReferenceCall &call) const {
  const HostTensor &in = call.in(x);
  HostTensor &out = call.out();
  const Range range = range_of(*this, in.type.shape);
  const uint64_t inner = axis == Axis::Rows ? in.type.shape.dim(-1) : 1;
  const uint64_t stride = inner * (axis == Axis::Rows ? in.type.shape.dim(-2) : in.type.shape.dim(-1));
  const uint64_t block = range.count * inner;
  for (uint64_t o = 0; o < out.f.size() / block; ++o)
    std::copy_n(in.f.begin() + int64_t(o * stride + range.begin * inner), block,
                out.f.begin() + int64_t(o * block));
}

} // namespace fovea
