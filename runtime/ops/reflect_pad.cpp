#include "ops/reflect_pad.h"

#include "ops/map.h"

#include <cstdlib>

namespace fovea {

TensorType ReflectPad::infer(const Types &t) const {
  t.require(x, "x", Encoding::F32);
  const Shape &shape = t.shape(x);
  if (shape.rank() != 1) fail(ErrorCode::InvalidGraph, "x must have rank 1, it is ", shape);
  if (shape[0] > length)
    fail(ErrorCode::InvalidGraph, "x has ", shape[0], " elements, at most ", length, " fit");
  if (left >= length || right >= length)
    fail(ErrorCode::InvalidGraph, "left=", left, " and right=", right, " must be less than length=", length);
  const Shape padded{uint64_t(left) + length + right};
  require_indexable(padded, "the result");
  return {padded, Encoding::F32};
}

void ReflectPad::lower(Lowering &l) const {
  const uint64_t n = l.target().type.shape.elements();
  const ReflectPadParams params{uint32_t(n), uint32_t(l.shape(x).elements()), length, left};
  const KernelChoice choice = map_kernel(l.caps(), n, KernelId::reflect_pad);
  l.dispatch(choice.kernel, choice.spec, push_words(params), choice.groups, {l.read(0, x), l.write(1)}, n);
}

void ReflectPad::reference(ReferenceCall &call) const {
  const HostTensor &in = call.in(x);
  HostTensor &out = call.out();
  for (size_t j = 0; j < out.f.size(); ++j) {
    int64_t i = std::abs(int64_t(j) - int64_t(left));
    if (i >= length) i = 2 * (int64_t(length) - 1) - i;
    out.f[j] = size_t(i) < in.f.size() ? in.f[size_t(i)] : 0.0f;
  }
}

} // namespace fovea
