#include "ops/softmax.h"

#include "ops/map.h"

#include <algorithm>
#include <cmath>

namespace fovea {

TensorType Softmax::infer(const Types &t) const {
  t.require(x, "x", Encoding::F32);
  require_indexable(t.shape(x), "x");
  if (!(scale > 0) || !std::isfinite(scale))
    fail(ErrorCode::InvalidGraph, "scale must be positive, it is ", scale);
  return t[x];
}

void Softmax::lower(Lowering &l) const {
  const Shape &shape = l.shape(x);
  const SoftmaxParams params{uint32_t(shape.rows()), uint32_t(shape.row()), scale};
  KernelChoice choice =
      select_row_kernel(l.caps(), shape.rows(), shape.row(), KernelId::softmax, KernelId::softmax_subgroup);
  choice.spec.push_back(log);
  l.dispatch(choice, push_words(params), {l.read(0, x), l.write(1)}, 8 * shape.elements());
}

void Softmax::reference(ReferenceCall &call) const {
  const HostTensor &in = call.in(x);
  HostTensor &out = call.out();
  const size_t width = in.type.shape.row();
  for (size_t begin = 0; begin < in.f.size(); begin += width) {
    const float *row = &in.f[begin];
    const double highest = *std::max_element(row, row + width);
    double sum = 0;
    for (size_t d = 0; d < width; ++d) sum += std::exp((row[d] - highest) * scale);
    for (size_t d = 0; d < width; ++d) {
      const double shifted = (row[d] - highest) * scale;
      out.f[begin + d] = float(log ? shifted - std::log(sum) : std::exp(shifted) / sum);
    }
  }
}

} // namespace fovea
