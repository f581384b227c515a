#include "ops/dynamic_range.h"

#include "ops/map.h"

#include <algorithm>

namespace fovea {

TensorType DynamicRange::infer(const Types &t) const {
  t.require(x, "x", Encoding::F32);
  t.require(peak, "peak", Encoding::F32, {1});
  require_indexable(t.shape(x), "x");
  return t[x];
}

void DynamicRange::lower(Lowering &l) const {
  const uint64_t n = l.shape(x).elements();
  const DynamicRangeParams params{uint32_t(n), range, offset, scale};
  const KernelChoice choice = map_kernel(l.caps(), n, KernelId::dynamic_range);
  l.dispatch(choice.kernel, choice.spec, push_words(params), choice.groups,
             {l.read(0, x), l.read(1, peak), l.write(2)}, 3 * n);
}

void DynamicRange::reference(ReferenceCall &call) const {
  const HostTensor &in = call.in(x);
  const double lowest = double(call.in(peak).f[0]) - double(range);
  HostTensor &out = call.out();
  for (size_t i = 0; i < in.f.size(); ++i)
    out.f[i] = float((std::max(double(in.f[i]), lowest) + double(offset)) * double(scale));
}

} // namespace fovea
