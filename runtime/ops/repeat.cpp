#include "ops/repeat.h"

#include "ops/map.h"

#include <algorithm>

namespace fovea {

TensorType Repeat::infer(const Types &t) const {
  t.require(x, "x", Encoding::F32);
  const Shape &in = t.shape(x), &other = t.shape(like);
  if (in.rank() > 3 || other.rank() < 1)
    fail(ErrorCode::InvalidGraph, "x ", in, " must have rank 3 at most, like ", other, " rank 1 at least");
  require_indexable(in, "x");
  std::vector<uint64_t> dims = {other[0]};
  dims.insert(dims.end(), in.dims().begin(), in.dims().end());
  const Shape result{std::span<const uint64_t>(dims)};
  require_indexable(result, "the result");
  return {result, Encoding::F32};
}

void Repeat::lower(Lowering &l) const {
  const uint64_t block = l.shape(x).elements(), unit = block % 4 == 0 ? 4 : 1;
  ConcatParams p{};
  p.n_elements = uint32_t(l.target().type.shape.elements() / unit);
  p.block = p.block_a = uint32_t(block / unit);
  const KernelChoice choice =
      map_kernel(l.caps(), p.n_elements, unit == 4 ? KernelId::concat_quads : KernelId::concat);
  l.dispatch(choice.kernel, choice.spec, push_words(p), choice.groups,
             {l.read(0, x), l.read(1, x), l.read(2, x), l.write(3)}, l.target().type.shape.elements());
}

void Repeat::reference(ReferenceCall &call) const {
  const HostTensor &in = call.in(x);
  HostTensor &out = call.out();
  for (size_t i = 0; i < out.f.size(); i += in.f.size())
    std::copy(in.f.begin(), in.f.end(), out.f.begin() + int64_t(i));
}

} // namespace fovea
